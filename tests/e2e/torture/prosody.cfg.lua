-- The Prosody that is tortured: an archive in SQLite, so that what it has acknowledged outlives a kill.
-- Words between at signs are filled in when it is started. Works with Prosody 0.12 and 13. It is tortured with the old profile of
-- SASL, and with the one of XEP-0388.

run_as_root = true
daemonize = false
data_path = "@DATA@"
pidfile = "@DATA@/prosody.pid"
plugin_paths = { "@MODULES@" }
-- The log is also how the starter learns that the server is ready.
log = { info = "@DATA@/prosody.log" }

-- The page comes by WebSocket, the client by other hands over TCP.
interfaces = { "127.0.0.1" }
http_interfaces = { "127.0.0.1" }
http_ports = { @HTTP_PORT@ }
https_ports = {}
http_default_host = "localhost"
c2s_ports = { @C2S_PORT@ }
c2s_direct_tls_ports = {}
s2s_ports = {}
limits = {}

c2s_require_encryption = false
consider_websocket_secure = true
allow_unencrypted_plain_auth = false

-- As a server comes out of the box: it keeps messages for those who are away, too.
modules_enabled = {
	"roster", "saslauth", "disco",
	"websocket",
	"ping", "carbons", "smacks", "mam", "csi_simple",
	"pep", "blocklist", "offline",
	"fixtures", "fixture_sasl2",
}
fixture_sasl2 = @SASL2@
modules_disabled = { "s2s", "s2s_bidi", "s2s_auth_certs", "dialback", "tls" }

authentication = "internal_hashed"
storage = "sql"
sql = { driver = "SQLite3", database = "prosody.sqlite" }
-- Durable when the server is killed; only a machine that loses its power could lose something.
sqlite_tune = "normal"
archive_expires_after = "never"
default_archive_policy = true

VirtualHost "localhost"
	http_host = "localhost"
	fixture_accounts = {
		alice = { name = "Alice", password = "secret" },
		bob = { name = "Bob", password = "secret" },
		carol = { name = "Carol", password = "secret" },
		dave = { name = "Dave", password = "secret" },
		erin = { name = "Erin", password = "secret" },
	}

Component "rooms.localhost" "muc"
	modules_enabled = { "muc_mam" }
	muc_room_locking = false
	muc_room_default_persistent = true
	muc_log_by_default = true
	muc_log_expires_after = "never"
