-- The Prosody of the login tests: a host for each mechanism that it can be set to offer, over ws: and wss:, with plain XMPP
-- over TCP for another client. Words between at signs are filled in when it is started.

run_as_root = true
daemonize = false
data_path = "@DATA@"
pidfile = "@DATA@/prosody.pid"
plugin_paths = { "@MODULES@" }
-- The log is also how the starter learns that the server is ready.
log = { info = "@DATA@/prosody.log" }

interfaces = { "127.0.0.1" }
http_interfaces = { "127.0.0.1" }
http_ports = { @HTTP_PORT@ }
https_interfaces = { "127.0.0.1" }
https_ports = { @HTTPS_PORT@ }
http_default_host = "localhost"
c2s_ports = { @C2S_PORT@ }
c2s_direct_tls_ports = {}
s2s_ports = {}
ssl = { certificate = "@CERTIFICATE@", key = "@KEY@" }
http_files_dir = "@PACKAGE@"
-- A failed login in the tests must not slow down the next one.
limits = {}
-- Small, so that a message can be larger (XEP-0478).
c2s_stanza_size_limit = 20000

-- On loopback ws: will do; it offers what wss: does.
c2s_require_encryption = false
consider_websocket_secure = true

modules_enabled = {
	"roster", "saslauth", "tls", "disco",
	"websocket", "fixture_host_meta",
	"ping", "version", "smacks", "mam", "csi",
	"fixtures",
	-- The npm package, for pages on https:.
	"http_files",
}
modules_disabled = { "s2s", "s2s_bidi", "s2s_auth_certs", "dialback" }

authentication = "internal_hashed"
storage = "internal"

local accounts = {
	alice = { name = "Alice", password = "secret" },
	bob = { name = "Bob", password = "secret" },
};

-- Found over http:, and leads to ws:.
VirtualHost "localhost"
	http_host = "localhost"
	http_external_url = "http://localhost:@HTTP_PORT@/"
	modules_enabled = { "fixture_control" }
	fixture_accounts = accounts

-- Found as any domain is, over https: at its standard port, to which the browser is led.
VirtualHost "prosody.example"
	http_external_url = "https://prosody.example/"
	fixture_accounts = accounts

VirtualHost "sha256.prosody.example"
	password_hash = "SHA-256"
	fixture_accounts = accounts

VirtualHost "plain.prosody.example"
	disable_sasl_mechanisms = { "SCRAM-SHA-1", "OAUTHBEARER" }
	fixture_accounts = accounts

VirtualHost "anonymous.prosody.example"
	authentication = "anonymous"

-- The browser's cookie says who it is.
VirtualHost "cookie.prosody.example"
	authentication = "fixture_cookie"
	fixture_cookies = {
		["of-alice"] = { "alice", "team" },
	}

-- With SASL2 (XEP-0388) and all that goes along with it, from Prosody 13 on.
VirtualHost "sasl2.prosody.example"
	modules_enabled = { "fixture_sasl2", "carbons" }
	fixture_accounts = accounts

VirtualHost "plain.sasl2.prosody.example"
	modules_enabled = { "fixture_sasl2" }
	disable_sasl_mechanisms = { "SCRAM-SHA-1", "OAUTHBEARER" }
	fixture_accounts = accounts

VirtualHost "anonymous.sasl2.prosody.example"
	modules_enabled = { "fixture_sasl2" }
	authentication = "anonymous"

VirtualHost "cookie.sasl2.prosody.example"
	modules_enabled = { "fixture_sasl2" }
	authentication = "fixture_cookie"
	fixture_cookies = {
		["of-alice"] = { "alice", "team" },
	}

-- Without tokens: what it takes without them is seen.
VirtualHost "tokenless.sasl2.prosody.example"
	modules_enabled = { "fixture_sasl2" }
	fixture_sasl2 = { "sasl2", "sasl2_bind2", "sasl2_sm" }
	fixture_accounts = accounts

VirtualHost "tokenless.plain.sasl2.prosody.example"
	modules_enabled = { "fixture_sasl2" }
	fixture_sasl2 = { "sasl2", "sasl2_bind2", "sasl2_sm" }
	disable_sasl_mechanisms = { "SCRAM-SHA-1", "OAUTHBEARER" }
	fixture_accounts = accounts

-- Each token is followed by the next one.
VirtualHost "rotating.sasl2.prosody.example"
	modules_enabled = { "fixture_sasl2" }
	sasl2_fast_token_min_ttl = 0
	fixture_accounts = accounts

-- A token has expired by the time that it is used.
VirtualHost "expiring.sasl2.prosody.example"
	modules_enabled = { "fixture_sasl2" }
	sasl2_fast_token_ttl = 0
	fixture_accounts = accounts

-- One domain, two servers: this one has SCRAM for it, the other one asks for the password itself.
VirtualHost "both.example"
	fixture_accounts = accounts
