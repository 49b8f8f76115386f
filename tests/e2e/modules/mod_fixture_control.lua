-- What the login tests change in the running server, by POST below /fixtures: `password` sets one, `token` mints one for
-- OAUTHBEARER (RFC 7628); `kept-tokens` says how many tokens for the next login (XEP-0484) the account has, and
-- `forget-tokens` takes them all back. The body is a JSON object with the members `user`, `host` and `password`.

local jid = require "util.jid";
local json = require "util.json";
local modulemanager = require "core.modulemanager";
local storagemanager = require "core.storagemanager";
local usermanager = require "core.usermanager";

module:depends("http");

local function read(event)
	return json.decode(event.request.body or "") or {};
end

-- Of mod_sasl2_fast's.
local function kept_tokens(account)
	return storagemanager.open(account.host, "fast_tokens", "keyval");
end

module:provides("http", {
	name = "fixtures";
	default_path = "/fixtures";
	route = {
		["POST /password"] = function (event)
			local account = read(event);
			assert(usermanager.set_password(account.user, account.password, account.host));
			return 204;
		end;
		["POST /kept-tokens"] = function (event)
			local account = read(event);
			local count = 0;
			for _ in pairs(kept_tokens(account):get(account.user) or {}) do
				count = count + 1;
			end
			return tostring(count);
		end;
		["POST /forget-tokens"] = function (event)
			local account = read(event);
			assert(kept_tokens(account):set(account.user, nil));
			return 204;
		end;
		["POST /token"] = function (event)
			local account = read(event);
			local tokens = modulemanager.get_module(account.host, "tokenauth");
			if not tokens then
				return 501;
			end
			local address = jid.join(account.user, account.host);
			local grant = assert(tokens.create_grant(address, address, 3600));
			return (assert(tokens.create_token(address, grant, nil, 3600, "oauth2")));
		end;
	};
});
