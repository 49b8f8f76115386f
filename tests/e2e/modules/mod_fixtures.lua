-- Makes the accounts of `fixture_accounts`, each in the others' rosters, by the server's own means, and logs one line
-- when the server takes connections.

local rostermanager = require "core.rostermanager";
local usermanager = require "core.usermanager";

local host = module.host;
local accounts = module:get_option("fixture_accounts", {});

for user, account in pairs(accounts) do
	-- A server that comes back has them.
	if not usermanager.user_exists(user, host) then
		assert(usermanager.create_user(user, account.password, host));
	end
end

for user in pairs(accounts) do
	local roster = rostermanager.load_roster(user, host);
	for contact, account in pairs(accounts) do
		if contact ~= user then
			roster[contact.."@"..host] = { subscription = "both", name = account.name, groups = { Friends = true } };
		end
	end
	assert(rostermanager.save_roster(user, host, roster));
end

module:hook_global("server-started", function ()
	module:log("info", "fixtures ready");
end);
