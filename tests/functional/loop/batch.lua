-- A batch of one text many times over: its answers must be equal, or two models answered one request.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local text = '"550 5.1.1 <user@example.com>: Recipient address rejected: User unknown"'
local items = {}
for i = 1, 20 do items[i] = text end
wrk.body = '{"messages":[' .. table.concat(items, ",") .. "]}"

local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(_)
  bad_status = 0
  mixed = 0
  answers = 0
end
function response(status, _, body)
  answers = answers + 1
  if status ~= 200 then
    bad_status = bad_status + 1
    return
  end
  local first, count = nil, 0
  for object in body:gmatch("{[^}]*}") do
    count = count + 1
    first = first or object
    if object ~= first then mixed = mixed + 1 end
  end
  if count ~= 20 then bad_status = bad_status + 1 end
end
function done(summary, _, _)
  local total_bad, total_mixed, total = 0, 0, 0
  for _, thread in ipairs(threads) do
    total_bad = total_bad + thread:get("bad_status")
    total_mixed = total_mixed + thread:get("mixed")
    total = total + thread:get("answers")
  end
  local e = summary.errors
  io.write(string.format("result answers=%d failed=%d mixed=%d socket=%d\n", total, total_bad, total_mixed,
    e.connect + e.read + e.write + e.timeout))
end
