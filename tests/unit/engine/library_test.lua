-- What the module `rebound` does, from Lua. Globals: MODELS (bundles that find keywords), FOLDER (a temporary one).
local rebound = require "rebound"

local function equal(got, expected, what)
  if got ~= expected then
    error(("%s: got %s, expected %s"):format(what or "value", tostring(got), tostring(expected)), 2)
  end
end

local function fails(text, ...)
  local ok, message = pcall(...)
  if ok or not tostring(message):find(text, 1, true) then
    error(("expected an error with '%s', got %s"):format(text, tostring(message)), 2)
  end
end

local function write(name, bytes)
  local path = FOLDER .. "/" .. name
  local file <close> = assert(io.open(path, "wb"))
  file:write(bytes)
  return path
end

local function open(options)
  options = options or {}
  options.models = MODELS
  return assert(rebound.open(options))
end

local DSN = [[
From: MAILER-DAEMON@mx.example.com
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

It failed.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; ann@one.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

Final-Recipient: rfc822; bob@two.example
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 over quota

--b--
]]

local tests = {}

function tests.a_reply_gives_code_name_and_description()
  local client <close> = open()
  local code, name, description = client:classify_smtp_response("552 5.2.2 over quota", "example.com")
  equal(code, 22)
  equal(math.type(code), "integer")
  equal(name, "Mailbox Full")
  equal(description, "The recipient's mailbox is full.")
end

function tests.overrides_decide_by_domain()
  local rules = write("user.ovr", "yahoo.com,51,TSS04\n")
  local client <close> = open{overrides = rules}
  equal(client:classify_smtp_response("421 [TSS04] unknown", "yahoo.com"), 51)
  equal(client:classify_smtp_response("550 [TSS04] unknown", "gmail.com"), 10)
  equal(client:answer("421 [TSS04]", "yahoo.com").override.rule, "TSS04")
  assert(client:set_overrides(nil))
  equal(client:classify_smtp_response("550 [TSS04] unknown", "yahoo.com"), 10)
end

function tests.a_message_gives_the_code_of_its_first_recipient()
  local client <close> = open()
  local code, name, description = client:classify(DSN)
  equal(code, 10)
  equal(name, "Invalid Recipient")
  equal(description, "The recipient's address does not exist or takes no mail.")
  local report = client:message(DSN)
  equal(report.kind, "dsn")
  equal(#report.recipients, 2)
  equal(report.recipients[2].recipient, "bob@two.example")
  equal(report.recipients[2].result.label, "mailbox_full")
end

function tests.a_message_that_is_no_bounce_gives_nil_the_reason_and_its_kind()
  local client <close> = open()
  local code, reason, kind = client:classify("From: a@one.example\n\nLunch?\n")
  equal(code, nil)
  equal(type(reason), "string")
  equal(kind, "none")
  equal(client:classify("From: a@b.example\nAuto-Submitted: auto-replied\n\nI am away.\n"), 60)
end

function tests.an_answer_is_the_whole_result_as_tables()
  local client <close> = open()
  local answer = client:answer("451 4.7.1 greylisting, try again in 5 minutes")
  equal(answer.label, "greylisting")
  equal(answer.action, "retry")
  equal(answer.bnac.class, "GRAYLISTING")
  equal(answer.bnac.scope[1], "tenantid")
  equal(#answer.backoff.fields, 0)
  equal(answer.smtp.code, "451")
  equal(answer.smtp.enhanced_code, "4.7.1")
  equal(answer.retry_after, 300)
  equal(math.type(answer.retry_after), "integer")
  equal(answer.suppress, "no")
  equal(answer.fault, "policy")
  equal(answer.momentum_code.code, 70)
  equal(answer.blocklist, nil)
  assert(answer.confidence > 0.5 and answer.confidence <= 1)
  equal(client:answer("550 über unknown \xff", nil, "mdn").label, "user_unknown")
end

function tests.the_postalsys_shape_has_its_names()
  local client <close> = open()
  local listed = client:postalsys("550 listed by zen.spamhaus.org")
  equal(listed.label, "ip_blacklisted")
  equal(listed.action, "retry_different_ip")
  equal(listed.blocklist.name, "Spamhaus ZEN")
  equal(listed.blocklist.type, "ip")
  equal(listed.retryAfter, nil)
  equal(listed.usedFallback, nil)
  local scores = 0
  for _ in pairs(listed.scores) do scores = scores + 1 end
  equal(scores, 16)
  local by_code = client:postalsys("552 5.2.2 xyzzy")
  equal(by_code.label, "mailbox_full")
  equal(by_code.usedFallback, true)
  equal(client:postalsys("451 greylisting, wait 60 seconds").retryAfter, 60)
end

function tests.registered_fallbacks_hold_until_they_are_cleared()
  local client <close> = open()
  assert(client:register_text_fallback{pattern = [[XYZZY-PROVIDER-\d+]], label = "spam_blocked"})
  equal(client:answer("550 xyzzy-provider-12 unknown").label, "spam_blocked")
  assert(client:reload())
  assert(client:reload_rules())
  equal(client:answer("550 xyzzy-provider-12 unknown").label, "spam_blocked")
  equal(client:rules().text_rules.registered, 1)
  assert(client:clear_text_fallbacks())
  equal(client:answer("550 xyzzy-provider-12 unknown").label, "user_unknown")
end

function tests.text_rules_come_from_a_file()
  local client <close> = open{text_rules = write("text.rules", "label:geo_blocked plugh\n")}
  equal(client:answer("550 plugh").label, "geo_blocked")
  assert(client:set_text_rules())
  equal(client:answer("550 plugh unknown").label, "user_unknown")
end

function tests.the_helpers_need_no_models()
  for text, expected in pairs{
    ["550 User unknown"] = "550 nil", ["550 5.1.1 User unknown"] = "550 5.1.1", ["550-5.1.1 User unknown"] = "550 5.1.1",
    ["550 5.7.23 SPF validation failed"] = "550 5.7.23", ["Connection refused"] = "nil nil",
    ["550 IP 5.7.1.100 is blacklisted"] = "550 nil", ["Server at 5.2.2.50 rejected"] = "nil nil",
    ["550 5.7.1.0 not a code"] = "550 nil", ["v1.2 5.7.1 result"] = "nil 5.7.1", [""] = "nil nil",
  } do
    local codes = rebound.extract_smtp_codes(text)
    equal(tostring(codes.mainCode) .. " " .. tostring(codes.extendedCode), expected, text)
  end
  for text, seconds in pairs{
    ["Try again in 30 seconds"] = 30, ["Retry in 5 minutes"] = 300, ["Wait 1 hour before retrying"] = 3600,
    ["Greylisted for 300 seconds"] = 300, ["Wait 10 min"] = 600, ["Retry in 2 hr"] = 7200,
    ["Come back in 10 minutes"] = 600, ["Try after 30 seconds"] = 30,
    ["Too many requests, wait 60 seconds"] = 60, ["Wait 100000 seconds"] = false, ["User unknown"] = false,
    [" "] = false,
  } do
    equal(rebound.extract_retry_timing(text) or false, seconds, text)
  end
  for text, expected in pairs{
    ["Blocked by spamhaus.org"] = "Spamhaus ip true", ["blocked using b.barracudacentral.org"] = "Barracuda ip true",
    ["Blocked by Mimecast"] = "Mimecast ip false", ["rejected, listed on rbl.example.org"] = "RBL ip true",
    ["Your IP is listed in an RBL"] = "RBL ip false", ["RBL check failed"] = "nil",
    ["550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550"] = "nil",
    ["URL blocked by uribl.com"] = "URIBL uri true", ["550 marblehead.com rejected"] = "nil",
    ["550 5.1.1 User unknown. Protected by Barracuda Networks"] = "nil",
  } do
    local list = rebound.identify_blocklist(text)
    equal(list and ("%s %s %s"):format(list.name, list.type, list.host) or "nil", expected, text)
  end
  equal(#rebound.identify_blocklist("Blocked by spamhaus.org and barracuda").lists, 2)
  equal(rebound.facts("550 5.1.1 no such user").smtp.enhanced_code, "5.1.1")
end

function tests.labels_have_actions()
  local actions = {
    user_unknown = "remove", invalid_address = "remove", mailbox_disabled = "remove", greylisting = "retry",
    rate_limited = "retry", server_error = "retry", mailbox_full = "retry", ip_blacklisted = "retry_different_ip",
    geo_blocked = "retry_different_ip", domain_blacklisted = "fix_configuration", auth_failure = "fix_configuration",
    relay_denied = "fix_configuration", spam_blocked = "review", policy_blocked = "review", unknown = "review",
    virus_detected = "remove_content",
  }
  local labels = rebound.labels()
  equal(#labels, 16)
  for _, label in ipairs(labels) do equal(rebound.get_action(label), actions[label], label) end
  equal(rebound.get_action("anything else"), "review")
  equal(#rebound.labels("bnac"), 18)
  equal(#rebound.labels("backoff"), 24)
  equal(rebound.version():match("^%d+%.%d+%.%d+$") ~= nil, true)
end

function tests.model_info_tells_what_answers()
  local client <close> = open()
  local info = client:model_info()
  equal(info.initialized, true)
  equal(#info.modelHash, 16)
  equal(info.models.bnac.version, 1)
end

function tests.the_module_itself_stands_in_for_msys_bounce()
  local code, message, status = rebound.classify_smtp_response("550 unknown")
  equal(code, nil)
  equal(message, "there are no models yet: call rebound.init{models = DIR} first")
  equal(status, "unavailable")
  assert(rebound.init{models = MODELS})
  local msys = {bounce = require "rebound"}
  equal(msys.bounce.classify_smtp_response("550 unknown", "example.com"), 10)
  equal(msys.bounce.classify(DSN), 10)
  equal(rebound.answer("451 greylisting").label, "greylisting")
  local failed, why = rebound.init{models = "/nonexistent"}
  equal(failed, nil)
  equal(why:find("no model of task bnac in /nonexistent", 1, true) ~= nil, true)
  equal(rebound.postalsys("550 unknown").label, "user_unknown", "the older one goes on")
end

function tests.wrong_data_gives_nil_and_a_message()
  local client <close> = open()
  for _, blank in ipairs{"", " \r\n"} do
    local code, message, status = client:classify_smtp_response(blank)
    equal(code, nil)
    equal(message, "the text is empty or blank")
    equal(status, "invalid_argument")
  end
  equal(select(2, client:answer("550", "not a domain")), "the domain is not a domain's name")
  equal(select(2, client:register_text_fallback{pattern = "x", label = "nix"}):match("^there is no label 'nix'"),
        "there is no label 'nix'")
  equal(select(3, client:reload("/nonexistent")), "not_found")
  equal(client:answer("550 unknown").label, "user_unknown", "after a failed reload")
  equal(select(3, rebound.open{models = MODELS, overrides = "/nonexistent.ovr"}), "not_found")
end

function tests.wrong_types_are_lua_errors()
  local client <close> = open()
  fails("string expected, got nil", client.answer, client, nil)
  fails("string expected, got table", client.answer, client, {})
  fails("string expected, got table", client.answer, client, "x", {})
  fails("invalid option 'fax'", client.answer, client, "x", nil, "fax")
  fails("holds a NUL byte", client.answer, client, "x", "a\0b")
  fails("table expected, got string", client.register_text_fallback, client, "x")
  fails("the field 'label' of the rule is nil, not a string", client.register_text_fallback, client, {pattern = "x"})
  fails("there is no option 'modles'", rebound.open, {modles = MODELS})
  fails("the option 'models' is boolean, not a string", rebound.open, {models = true})
  fails("rebound.client expected, got table", client.answer, {}, "x")
  fails("invalid option 'nix'", rebound.labels, "nix")
  for _, name in ipairs{"answer", "postalsys", "classify_smtp_response", "classify", "message"} do
    fails("string expected, got n", client[name], client)
  end
  for _, name in ipairs{"extract_retry_timing", "identify_blocklist", "extract_smtp_codes", "facts", "get_action"} do
    fails("string expected, got n", rebound[name])
  end
end

function tests.a_closed_client_is_told()
  local client = open()
  client:close()
  client:close()
  fails("the client is closed", client.answer, client, "x")
  equal(tostring(client), "rebound.client (closed)")
end

function tests.many_calls_leave_nothing_behind()
  local client <close> = open()
  for i = 1, 200 do
    client:answer("550 unknown " .. i)
    client:classify_smtp_response("")
    pcall(client.answer, client, "x", "y", "z")
  end
  collectgarbage()
end

return tests
