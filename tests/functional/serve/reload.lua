-- wrk: every answer must be 200 and of one model, that is, all classes of a batch equal.
local counter = 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  failed, mixed, answered = 0, 0, 0
end

function request()
  counter = counter + 1
  local texts = {}
  for i = 1, 8 do texts[i] = string.format('"text %d of %d"', i, counter % 500) end
  return wrk.format("POST", nil, {["Content-Type"] = "application/json"},
                    '{"messages":[' .. table.concat(texts, ",") .. ']}')
end

function response(status, headers, body)
  answered = answered + 1
  if status ~= 200 then failed = failed + 1 return end
  local first, count = nil, 0
  for class in string.gmatch(body, '"class":"([^"]*)"') do
    first = first or class
    count = count + 1
    if class ~= first then mixed = mixed + 1 end
  end
  if count ~= 8 then failed = failed + 1 end
end

function done(summary)
  local total, bad, mix = 0, 0, 0
  for _, thread in ipairs(threads) do
    total = total + thread:get("answered")
    bad = bad + thread:get("failed")
    mix = mix + thread:get("mixed")
  end
  local errors = summary.errors
  print(string.format("SOAK answered=%d failed=%d mixed=%d socket_errors=%d", total, bad, mix,
                      errors.connect + errors.read + errors.write + errors.timeout))
end
