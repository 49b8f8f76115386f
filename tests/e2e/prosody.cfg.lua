-- The Prosody of the demo and of the tests: a host with two accounts, and the same without SASL2; loopback only.
-- Words between at signs are filled in when it is started. Works with Prosody 0.12 and 13; SASL2 is there with 13.

run_as_root = true
daemonize = false
data_path = "@DATA@"
pidfile = "@DATA@/prosody.pid"
plugin_paths = { "@MODULES@" }
-- The log is also how the starter learns that the server is ready.
log = { info = "@DATA@/prosody.log" }

-- WebSocket is the one way in.
interfaces = { "127.0.0.1" }
http_interfaces = { "127.0.0.1" }
http_ports = { @HTTP_PORT@ }
https_ports = {}
http_default_host = "localhost"
c2s_ports = {}
c2s_direct_tls_ports = {}
s2s_ports = {}
-- A failed login in the tests must not slow down the next one.
limits = {}

-- On loopback there's no TLS; a wss: endpoint gets it from the proxy in front.
c2s_require_encryption = false
consider_websocket_secure = true
allow_unencrypted_plain_auth = false

modules_enabled = {
	"roster", "saslauth", "disco",
	"websocket", "fixture_host_meta",
	"ping", "carbons", "smacks", "mam", "csi",
	"pep", "vcard_legacy", "blocklist",
	"time", "version", "uptime",
	"fixtures",
}
modules_disabled = { "s2s", "s2s_bidi", "s2s_auth_certs", "dialback", "tls" }

authentication = "internal_hashed"
storage = "internal"

local accounts = {
	alice = { name = "Alice", password = "secret" },
	bob = { name = "Bob", password = "secret" },
};

VirtualHost "localhost"
	http_host = "localhost"
	modules_enabled = { "fixture_sasl2", "register_ibr" }
	fixture_sasl2 = @SASL2@
	fixture_accounts = accounts

-- Files are put on the port of the WebSocket: another origin than the page's.
Component "upload.localhost" "http_file_share"
	http_host = "localhost"
	http_file_share_size_limit = 1024 * 1024
	http_file_share_access = { "localhost" }
	modules_disabled = { "fixtures" }

-- Rooms that stay, and keep what is said.
Component "rooms.localhost" "muc"
	name = "Rooms"
	modules_enabled = { "muc_mam" }
	muc_room_locking = false
	muc_room_default_persistent = true
	muc_log_by_default = true
	modules_disabled = { "fixtures" }

-- As a server without SASL2 is.
VirtualHost "old.localhost"
	-- Which wants to know more of those who would like to have an account.
	modules_enabled = { "register_ibr" }
	additional_registration_fields = { "email+", "nick" }
	fixture_accounts = accounts
