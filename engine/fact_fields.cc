#include "engine/fact_fields.h"

#include <algorithm>

namespace rebound {
namespace {

void WriteText(std::string_view key, std::string_view value, JsonWriter* writer) {
  if (!value.empty()) writer->Key(key).String(value);
}

void WriteList(const FoundList& found, bool host, JsonWriter* writer) {
  writer->Key("name").String(found.list->name);
  writer->Key("type").String(ListedKindName(found.list->kind));
  if (host) writer->Key("host").Bool(found.host);
}

void WriteLists(const FoundLists& lists, bool host, JsonWriter* writer) {
  writer->Key("lists").StartArray();
  for (const FoundList& found : lists.view()) {
    writer->StartObject();
    WriteList(found, host, writer);
    writer->EndObject();
  }
  writer->EndArray();
}

}  // namespace

void WriteFacts(const Facts& facts, JsonWriter* writer) {
  JsonWriter& w = *writer;
  if (!facts.codes.reply.empty() || !facts.codes.enhanced.empty()) {
    w.Key("smtp").StartObject();
    WriteText("code", facts.codes.reply, writer);
    WriteText("enhanced_code", facts.codes.enhanced, writer);
    w.EndObject();
  }
  if (facts.retry_after) w.Key("retry_after").Int(facts.retry_after->count());
  if (facts.lists.count > 0) {
    w.Key("blocklist").StartObject();
    WriteList(facts.lists.all[0], true, writer);
    WriteText("listed", facts.listed, writer);
    WriteText("delist", facts.delist, writer);
    if (facts.lists.count > 1) WriteLists(facts.lists, true, writer);
    w.EndObject();
  }
  if (!facts.provider.empty()) {
    w.Key("provider").StartObject();
    WriteText("receiver", facts.provider.receiver, writer);
    WriteText("filter", facts.provider.filter, writer);
    WriteText("code", facts.provider.code, writer);
    WriteText("help", facts.provider.help, writer);
    w.EndObject();
  }
}

void WriteLabelFacts(const Facts& facts, JsonWriter* writer) {
  JsonWriter& w = *writer;
  if (facts.retry_after) w.Key("retryAfter").Int(facts.retry_after->count());
  const FoundLists& lists = facts.lists;
  if (lists.count == 0) return;
  w.Key("blocklist").StartObject();
  if (lists.count == 1) {
    WriteList(lists.all[0], true, writer);
  } else {
    WriteLists(lists, false, writer);
    w.Key("host").Bool(std::any_of(lists.view().begin(), lists.view().end(),
                                   [](const FoundList& found) { return found.host; }));
  }
  w.EndObject();
}

}  // namespace rebound
