-- Both documents of XEP-0156 by Prosody's mod_http_altconnect; by this module where a Prosody 0.12 hasn't got that one.

if pcall(module.depends, module, "http_altconnect") then
	return;
end

local json = require "util.json";
local st = require "util.stanza";

local rel = "urn:xmpp:alt-connections:websocket";

module:depends("http");

local function href()
	return (module:http_url("websocket", "xmpp-websocket"):gsub("^http", "ws"));
end

local function answer(event, kind, text)
	event.response.headers.content_type = kind;
	event.response.headers.access_control_allow_origin = "*";
	return text;
end

module:provides("http", {
	default_path = "/.well-known";
	route = {
		["GET /host-meta"] = function (event)
			local xrd = st.stanza("XRD", { xmlns = "http://docs.oasis-open.org/ns/xri/xrd-1.0" })
				:tag("Link", { rel = rel, href = href() }):up();
			return answer(event, "application/xrd+xml", '<?xml version="1.0" encoding="UTF-8"?>'..tostring(xrd));
		end;
		["GET /host-meta.json"] = function (event)
			return answer(event, "application/json", json.encode({ links = { { rel = rel, href = href() } } }));
		end;
	};
});
