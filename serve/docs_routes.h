// What a browser is shown: the page at `/`, the API's documentation at `/docs`, and the description
// that it is made from, `/openapi.json`. Nothing comes from another host, and the pages' policy
// lets nothing else in. Thread-safe.
#pragma once

#include "serve/router.h"

namespace rebound {

class DocsRoutes {
 public:
  static void AddTo(Router* router);
};

}  // namespace rebound
