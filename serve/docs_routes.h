// What a browser is shown: the page at `/`, what became of one's own contributions at
// `/contributions`, the reviewers' desk at `/review`, the API's documentation at `/docs`, and the
// description that it is made from, `/openapi.json`. The pages are open; what they show they ask of
// the API, with the key of whoever sits there. Nothing comes from another host, and the pages'
// policy lets nothing else in. Thread-safe.
#pragma once

#include "serve/router.h"

namespace rebound {

class DocsRoutes {
 public:
  static void AddTo(Router* router);
};

}  // namespace rebound
