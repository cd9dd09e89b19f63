-- Says of each text of its command line what became of the mail and what to do.
--
--     lua5.4 classify.lua MODELS_FOLDER "550 5.1.1 user unknown" ...
local rebound = require "rebound"

local models = table.remove(arg, 1)
local client = assert(rebound.open{models = models})

-- A rule of one's own: it goes before the models.
assert(client:register_text_fallback{pattern = [[XYZZY-\d+]], label = "spam_blocked"})

for _, text in ipairs(arg) do
  local code, name, description = client:classify_smtp_response(text)
  if not code then
    print(text, name) -- nil, message
  else
    local answer = client:answer(text)
    print(("%s (%.2f): %s, suppress %s, Momentum %d %s"):format(
      answer.label, answer.confidence, answer.action, answer.suppress, code, name))
    print("  " .. description)
    if answer.retry_after then print("  try again in " .. answer.retry_after .. " s") end
    if answer.blocklist then print("  listed by " .. answer.blocklist.name) end
  end
end
client:close()
