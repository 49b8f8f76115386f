-- The Prosody of the interop rows: everything that the features need, and an archive in SQLite.
-- Words between at signs are filled in when it is started. Works with Prosody 0.12 and 13; SASL2 is there with 13.

run_as_root = true
daemonize = false
data_path = "@DATA@"
pidfile = "@DATA@/prosody.pid"
plugin_paths = { "@MODULES@" }
-- The log is also how the starter learns that the server is ready.
log = { info = "@DATA@/prosody.log" }

-- The page comes by WebSocket, the clients by other hands over TCP.
interfaces = { "127.0.0.1" }
http_interfaces = { "127.0.0.1" }
http_ports = { @HTTP_PORT@ }
https_ports = {}
http_default_host = "localhost"
c2s_ports = { @C2S_PORT@ }
c2s_direct_tls_ports = {}
s2s_ports = {}
component_ports = { @COMPONENT_PORT@ }
component_interfaces = { "127.0.0.1" }
limits = {}

c2s_require_encryption = false
consider_websocket_secure = true
allow_unencrypted_plain_auth = false

modules_enabled = {
	"roster", "saslauth", "disco",
	"websocket",
	"ping", "carbons", "smacks", "mam", "csi_simple", "offline",
	"pep", "blocklist", "private", "lastactivity",
	"time", "version", "uptime",
	"fixtures",
}
modules_disabled = { "s2s", "s2s_bidi", "s2s_auth_certs", "dialback", "tls" }

authentication = "internal_hashed"
storage = "sql"
sql = { driver = "SQLite3", database = "prosody.sqlite" }
-- It is never killed.
sqlite_tune = "fast"
archive_expires_after = "never"
default_archive_policy = true

VirtualHost "localhost"
	http_host = "localhost"
	-- vCards and avatars of either kind, each for the other (XEP-0398).
	modules_enabled = { "vcard_legacy", "fixture_sasl2", "cloud_notify", "turn_external", "register_ibr", "user_account_management" }
	fixture_accounts = { @ACCOUNTS@ }

	-- Nobody is there.
	turn_external_host = "203.0.113.3"
	turn_external_secret = "shared with the relay"

-- Files are put on the port of the WebSocket: another origin than the page's.
Component "upload.localhost" "http_file_share"
	http_host = "localhost"
	http_file_share_size_limit = 4 * 1024 * 1024
	http_file_share_access = { "localhost" }
	modules_disabled = { "fixtures" }

-- Where vCards are of the old kind alone, as they are.
VirtualHost "vcards.localhost"
	modules_enabled = { "vcard" }
	fixture_accounts = {
		fred = { name = "Fred", password = "secret", friends = {} },
	}

-- Where more is asked of a new account, and where accounts are made on the web.
VirtualHost "forms.localhost"
	modules_enabled = { "register_ibr" }
	additional_registration_fields = { "email+", "nick" }

VirtualHost "elsewhere.localhost"
	modules_enabled = { "register_ibr", "register_redirect" }
	no_registration_whitelist = true
	registration_url = "https://elsewhere.example/join"

Component "pubsub.localhost" "pubsub"
	-- Any account may make a node.
	expose_publisher = true
	add_default_nodes = false
	default_admin_affiliation = "owner"
	autocreate_on_publish = false
	admins = { "amy@localhost" }
	modules_disabled = { "fixtures" }

Component "rooms.localhost" "muc"
	name = "Rooms"
	modules_enabled = { "muc_mam", "muc_moderation" }
	muc_log_by_default = true
	muc_log_expires_after = "never"
	max_archive_query_results = 100

-- The crowd in a room: one connection for all of them (XEP-0114).
Component "crowd.localhost"
	component_secret = "secret"
