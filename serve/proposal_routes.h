// Family 3: what contributors send and see of it again. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "serve/contributions.h"
#include "serve/router.h"

namespace rebound {

class ProposalRoutes {
 public:
  // The pointers must outlive the object, and the object the router. `contributions` null: this
  // server has no store, and the routes say so (503), all but the preview.
  ProposalRoutes(Contributions* contributions, const Engine* engine)
      : contributions_(contributions), engine_(engine) {}

  void AddTo(Router* router) const;

 private:
  Response Propose(const Call& call) const;
  Response ProposeCsv(const Call& call) const;
  static Response Preview(const Call& call);
  static Response WritePreview(const Call& call);
  Response Own(const Call& call) const;
  // What the served models say of a text as it came.
  static ModelAnswers Ask(const ModelSet& models, const std::string& text);

  Contributions* const contributions_;
  const Engine* const engine_;
};

}  // namespace rebound
