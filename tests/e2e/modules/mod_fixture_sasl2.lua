-- SASL2 (XEP-0388) and what goes along with it: Bind 2 (XEP-0386), resumption (XEP-0198), tokens (XEP-0484). By prosody-modules,
-- whose modules for that are for Prosody 13: an older one goes without, and so does one that hasn't got them.
--
-- `fixture_sasl2` is false for a host that is to go without, or a list of those that it is to have.

local modules = module:get_option("fixture_sasl2", true);

if modules == true then
	modules = { "sasl2", "sasl2_bind2", "sasl2_sm", "sasl2_fast" };
end
if not modules or prosody.version:match("^0%.") then
	return;
end

for _, name in ipairs(modules) do
	if not pcall(module.depends, module, name) then
		module:log("info", "there is no mod_%s", name);
		return;
	end
end
