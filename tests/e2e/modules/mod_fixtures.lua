-- Makes the accounts of `fixture_accounts`, each in the others' rosters, by the server's own means, and logs one line
-- when the server takes connections. An account's `friends` says who is in its roster, where not all others are, and
-- `contacts` how many there are beside them who are nobody.

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

local function friends_of(user)
	local friends = accounts[user].friends;
	if friends then
		return friends;
	end
	friends = {};
	for contact in pairs(accounts) do
		if contact ~= user then
			friends[#friends + 1] = contact;
		end
	end
	return friends;
end

for user, account in pairs(accounts) do
	local roster = rostermanager.load_roster(user, host);
	for _, contact in ipairs(friends_of(user)) do
		roster[contact.."@"..host] = { subscription = "both", name = accounts[contact].name, groups = { Friends = true } };
	end
	for number = 1, account.contacts or 0 do
		roster[("contact-%d@contacts.example"):format(number)] = {
			subscription = "none", name = "Contact "..number, groups = { ["Group "..number % 20] = true },
		};
	end
	assert(rostermanager.save_roster(user, host, roster));
end

module:hook_global("server-started", function ()
	module:log("info", "fixtures ready");
end);
