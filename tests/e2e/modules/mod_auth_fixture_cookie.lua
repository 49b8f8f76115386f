-- Who a client is, is said by the cookie `session` of its WebSocket handshake: SASL EXTERNAL (RFC 4422, appendix A).
-- `fixture_cookies` names, for each value, the users that it may act as: the first one, unless the client names another.

local jid = require "util.jid";
local new_sasl = require "util.sasl".new;

local host = module.host;
local cookies = module:get_option("fixture_cookies", {});

local function users_of(session)
	local request = session.websocket_request;
	local header = request and request.headers.cookie or "";
	for name, value in header:gmatch("([^=;%s]+)=([^;%s]*)") do
		if name == "session" and cookies[value] then
			return cookies[value];
		end
	end
	return {};
end

-- The authorization identity of a client is a bare JID (RFC 6120, section 6.3.8).
local function chosen(users, authzid)
	if not authzid or authzid == "" then
		return users[1];
	end
	for _, user in ipairs(users) do
		if jid.join(user, host) == authzid then
			return user;
		end
	end
end

local provider = {};

function provider.get_sasl_handler(session)
	return new_sasl(host, {
		external = function (authzid)
			local user = chosen(users_of(session), authzid);
			if user then
				return user, true;
			end
		end;
	});
end

function provider.user_exists(user)
	for _, users in pairs(cookies) do
		for _, one in ipairs(users) do
			if one == user then
				return true;
			end
		end
	end
	return nil, "no such user";
end

local function unsupported()
	return nil, "there are no passwords here";
end

provider.test_password = unsupported;
provider.get_password = unsupported;
provider.set_password = unsupported;
provider.create_user = unsupported;
provider.delete_user = unsupported;

module:provides("auth", provider);
