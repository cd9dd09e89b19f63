#include "serve/model_requests.h"

#include <optional>

#include "base/text.h"
#include "serve/problem.h"
#include "serve/texts.h"

namespace rebound {
namespace {

constexpr int kLastVersion = 999999;

[[noreturn]] void Refuse(int status, const std::string& detail) {
  throw Refusal{MakeProblem(status, detail)};
}

}  // namespace

Task TaskOf(const Call& call) {
  const std::optional<Task> task = ParseTask(call.parameter);
  if (!task) Refuse(404, "there is no task '" + RepairUtf8(call.parameter) + "'");
  return *task;
}

int VersionOf(const JsonValue& body) {
  const JsonValue* version = FindPresent(body, "version");
  if (version == nullptr) Refuse(422, "key 'version' is missing");
  if (!version->IsInt() || version->GetInt() < 1 || version->GetInt() > kLastVersion) {
    Refuse(422, "'version' is not a whole number from 1 to 999999");
  }
  return version->GetInt();
}

std::string WithoutRoot(std::string text, const BundleStore& store) {
  const std::string root = store.root().string() + "/";
  for (size_t at = text.find(root); at != std::string::npos; at = text.find(root, at)) {
    text.erase(at, root.size());
  }
  return text;
}

}  // namespace rebound
