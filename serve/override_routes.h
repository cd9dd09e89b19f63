// The rules that people wrote: which there are, what they would say of a text, reading them anew.
// Thread-safe.
#pragma once

#include "engine/overrides/overrides.h"
#include "engine/text_rules.h"
#include "serve/router.h"

namespace rebound {

class OverrideRoutes {
 public:
  // The pointers must outlive the object, and the object the router. `overrides` null: there are
  // none.
  OverrideRoutes(Overrides* overrides, TextRuleFile* text_rules)
      : overrides_(overrides), text_rules_(text_rules) {}

  void AddTo(Router* router) const;

 private:
  Response Status() const;
  Response Test(const Call& call) const;
  Response Reload(const Call& call) const;

  Overrides* const overrides_;
  TextRuleFile* const text_rules_;
};

}  // namespace rebound
