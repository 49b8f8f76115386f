-- What the login tests change in the running server, by POST below /fixtures: `password` sets one, `token` mints one for
-- OAUTHBEARER (RFC 7628). The body is a JSON object with the members `user`, `host` and `password`.

local jid = require "util.jid";
local json = require "util.json";
local modulemanager = require "core.modulemanager";
local usermanager = require "core.usermanager";

module:depends("http");

local function read(event)
	return json.decode(event.request.body or "") or {};
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
