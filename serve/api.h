// The HTTP API without sockets: a request in, an answer out.
//
// Handle never throws and calls `done` exactly once; what goes wrong becomes problem+json. The Api
// puts the groups of routes together and does for all of them what is common: request ids, the gate
// (serve/gate.h), 404 and 405, OPTIONS, the access log. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "engine/backoff_policy.h"
#include "engine/engine.h"
#include "engine/overrides/overrides.h"
#include "engine/text_rules.h"
#include "serve/background.h"
#include "serve/cache.h"
#include "serve/classify_routes.h"
#include "serve/classify_v3.h"
#include "serve/contributions.h"
#include "serve/dead_letter_routes.h"
#include "serve/desk_routes.h"
#include "serve/dsn_routes.h"
#include "serve/gate.h"
#include "serve/http.h"
#include "serve/label_routes.h"
#include "serve/metrics.h"
#include "serve/model_routes.h"
#include "serve/override_routes.h"
#include "serve/promote_routes.h"
#include "serve/proposal_routes.h"
#include "serve/registry_follower.h"
#include "serve/reload.h"
#include "serve/retrain_routes.h"
#include "serve/review_routes.h"
#include "serve/router.h"
#include "serve/shadow.h"
#include "serve/shadow_routes.h"
#include "serve/snapshot_routes.h"
#include "serve/status_routes.h"
#include "serve/trainer.h"
#include "serve/whole_answers.h"

namespace rebound {

struct ApiOptions {
  size_t max_batch = 1000;
  GateOptions gate;
  CacheFacts cache;
  std::filesystem::path backoff_policy;   // empty: none
  std::filesystem::path overrides;        // a configuration block or a file of rules; empty: none
  std::filesystem::path text_rules;       // empty: none
  DatasourceReader datasources;           // for overrides that name one
  std::optional<TrainerOptions> trainer;  // nullopt: there is no label store to train from
  std::optional<ContributionOptions> contributions;  // nullopt: nor one to contribute to
  ShadowOptions shadow;
};

class Api {
 public:
  // The pointers must outlive the Api; `follower` is null where the registry is not followed.
  // Throws kInvalidArgument where the gate's files cannot be had, and as Spool does.
  Api(const ApiOptions& options, const Engine* engine, Cache* cache, Reloader* reloader,
      RegistryFollower* follower = nullptr);
  ~Api() { StopSlowRoutes(); }
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  void Handle(Request request, const Done& done) noexcept;

  // Counts and logs what the door answered by itself.
  void Witness(const DoorAnswer& answer) noexcept;

  // From now on /readyz says 503.
  void StartDrain() { status_.StartDrain(); }

  // Ends the threads of slow routes: their answers hold connections, so before the door goes. False
  // where a contribution is still on its way from the spool to the store: it stays in the spool,
  // and the process may end as it is.
  bool StopSlowRoutes();

  // The keys file, the backoff policy, the rules and the access log's file anew. False where one
  // was refused.
  bool Reload();

  const Router& router() const { return router_; }
  Metrics& metrics() { return *metrics_; }
  Shadow& shadow() { return shadow_; }

 private:
  RuleSources rules() const { return {overrides_.get(), &text_rules_}; }

  struct Exchange;
  using Step = Response (Api::*)(Exchange*);
  Response Answer(Exchange* exchange, Step step);
  Response Dispatch(Exchange* exchange);
  Response Run(Exchange* exchange);
  bool Defer(const Exchange& exchange, const Done& done);
  void Finish(const Exchange& exchange, Response* response);

  Gate gate_;
  BackoffPolicyFile policy_;
  const std::unique_ptr<Overrides> overrides_;  // null: none
  TextRuleFile text_rules_;
  const ClassifyRoutes classify_;
  const WholeAnswers answers_;
  const ClassifyV3 classify_v3_;
  const DsnRoutes dsn_;
  const LabelRoutes labels_;
  const std::unique_ptr<Contributions> contributions_;  // null: no store
  Reloader* const reloader_;
  Shadow shadow_;
  const ModelRoutes models_;
  const PromoteRoutes promote_;
  const ShadowRoutes shadow_routes_;
  const std::unique_ptr<Trainer> trainer_;  // null: no store
  const RetrainRoutes retrain_;
  const ProposalRoutes proposals_;
  const ReviewRoutes reviews_;
  const DeskRoutes desk_;
  const SnapshotRoutes snapshots_;
  const DeadLetterRoutes dead_letters_;
  const OverrideRoutes override_routes_;
  StatusRoutes status_;
  Router router_;
  std::optional<Metrics> metrics_;  // made when the router is filled
  Background background_;           // the last: its work uses all the others
};

}  // namespace rebound
