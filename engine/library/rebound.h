/* librebound: what Rebound says of a bounce, for programs in C and in languages that call C.
 *
 *     rebound_client* client;
 *     rebound_answer* answer;
 *     if (rebound_open("/usr/share/rebound/models", &client) != REBOUND_OK ||
 *         rebound_classify(client, "550 5.1.1 user unknown", REBOUND_TO_NUL, NULL,
 *                          REBOUND_SMTP, &answer) != REBOUND_OK)
 *       return fprintf(stderr, "%s\n", rebound_last_error()), 1;
 *     puts(rebound_answer_action(answer));
 *     rebound_answer_free(answer);
 *     rebound_close(client);
 *
 * The contract, for every function:
 * - Thread-safe: any function, any client, any thread. What changes (models, rules) is made beside
 *   the old and swapped whole: no call waits for a load, and no answer mixes two of them. Answers
 *   and reports never change; free each once, when no thread reads it any more.
 * - A failure changes nothing, sets the out parameter to NULL and returns a status; the text for
 *   people is rebound_last_error(). NULL arguments, blank texts and missing files are failures. A
 *   client that was closed is told as such, unless a new one has got its place in memory.
 * - No exception leaves the library; it writes to no stream and starts no thread.
 * - Accessors of an answer or report give NULL or 0 for what does not apply, and for NULL. Their
 *   strings are UTF-8, end in NUL and live as long as the answer or report.
 * - Values and symbols are never changed or taken away while rebound_abi() stays; more may come,
 *   so a program leaves statuses, labels and JSON keys alone that it does not know.
 * docs/library.md is the reference with examples.
 */
#ifndef REBOUND_H
#define REBOUND_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REBOUND_ABI 0 /* librebound.so.0 */

typedef struct rebound_client rebound_client; /* models and rules */
typedef struct rebound_answer rebound_answer; /* what is said of one text */
typedef struct rebound_report rebound_report; /* what is said of a whole message */

typedef enum rebound_status {
  REBOUND_OK = 0,
  REBOUND_INVALID_ARGUMENT = 1, /* the caller's input is wrong: mend it */
  REBOUND_NOT_FOUND = 2,        /* a file, a folder or a model is not there */
  REBOUND_TOO_LARGE = 3,        /* a limit was exceeded: send less */
  REBOUND_UNAVAILABLE = 4,      /* a passing fault: the same call may work later */
  REBOUND_CORRUPT = 5,          /* a file does not hold what it promised */
  REBOUND_OUT_OF_MEMORY = 6,
  REBOUND_INTERNAL = 7 /* a fault of the library's */
} rebound_status;

/* What a text is: it picks the list of overrides. */
#define REBOUND_SMTP 0 /* a reply of an SMTP dialogue */
#define REBOUND_MDN 1  /* words of a message that came back */

#define REBOUND_BNAC 0
#define REBOUND_BACKOFF 1
#define REBOUND_LABEL 2

#define REBOUND_TO_NUL ((size_t)-1) /* as a length: the text ends in NUL */

int rebound_abi(void);             /* of the library that runs */
const char* rebound_version(void); /* "0.1.0" */
/* Why the last call failed that failed in this thread; "" where none did. Until the next one. */
const char* rebound_last_error(void);
const char* rebound_status_name(int status); /* "not_found"; "unknown" for one that is none */
void rebound_free(char* text);               /* of what a function gave as char**; or NULL */

/* --- Models and rules --- */

/* Loads and proves the current bundles of all three tasks in the folder. Without rules. */
rebound_status rebound_open(const char* models_dir, rebound_client** client);
/* Calls that run end well. Answers live on. NULL and closed clients are left alone. */
void rebound_close(rebound_client* client);
/* The current bundles anew: of the folder that was loaded last, or of another one, which is then
 * the client's. Rules stay. On failure the old models go on. */
rebound_status rebound_reload(rebound_client* client, const char* models_dir_or_null);

/* Momentum's override rules (a configuration block, .ovr or .csv); NULL: none. Bad lines are left
 * out, see rebound_rules_json. Data sources other than files are refused: rebound-serve has them.
 */
rebound_status rebound_set_overrides(rebound_client* client, const char* file_or_null);
/* The file of text rules; NULL: none. Rules that were registered stay. */
rebound_status rebound_set_text_rules(rebound_client* client, const char* file_or_null);
/* An RE2 pattern and a label ("spam_blocked", "bnac:SPF"), before the file's rules. */
rebound_status rebound_register_text_rule(rebound_client* client, const char* pattern,
                                          const char* label);
/* Forgets what was registered; the file's rules stay. */
rebound_status rebound_clear_text_rules(rebound_client* client);
/* Fields and actions by backoff class (YAML); NULL: none. */
rebound_status rebound_set_backoff_policy(rebound_client* client, const char* file_or_null);
/* Reads the files of overrides and text rules again: nothing else does. What cannot be read is the
 * failure that is told, and its old rules go on. */
rebound_status rebound_reload_rules(rebound_client* client);

/* {"modelHash",…,"models":{"bnac":{"version","hash","trained_at"},…}}. rebound_free it. */
rebound_status rebound_model_info_json(rebound_client* client, char** json);
/* The rules in force, bad lines, warnings: {"overrides":[…],"warnings":[…],"text_rules":{…}}. */
rebound_status rebound_rules_json(rebound_client* client, char** json);

/* --- Classifying --- */

/* `text`: any bytes; what is no UTF-8 is replaced, beyond 10,000 bytes it is cut. `domain`: the
 * recipient's, for overrides; NULL or "": not known. */
rebound_status rebound_classify(rebound_client* client, const char* text, size_t length,
                                const char* domain_or_null, int kind, rebound_answer** answer);
/* What stands in the text, without models: codes, waiting time, block lists, provider. */
rebound_status rebound_facts(const char* text, size_t length, rebound_answer** answer);
void rebound_answer_free(rebound_answer* answer);

/* Exactly a result of POST /v3/classify. */
const char* rebound_answer_json(const rebound_answer* answer);
/* The same with ?scores=true: the probability of every class. */
const char* rebound_answer_scores_json(const rebound_answer* answer);
/* The shape of the postalsys classifier, as of POST /api/classify. */
const char* rebound_answer_postalsys_json(const rebound_answer* answer);

const char* rebound_answer_label(const rebound_answer* answer);  /* "user_unknown" */
double rebound_answer_confidence(const rebound_answer* answer);  /* of the label, 0 to 1 */
const char* rebound_answer_action(const rebound_answer* answer); /* "remove" */
/* "model", "rule", "status_code", "override" */
const char* rebound_answer_label_source(const rebound_answer* answer);
const char* rebound_answer_bnac_class(const rebound_answer* answer); /* "RECIPIENT_NOT_FOUND" */
double rebound_answer_bnac_probability(const rebound_answer* answer);
const char* rebound_answer_backoff_class(const rebound_answer* answer); /* "RECIPIENT_ERROR" */
double rebound_answer_backoff_probability(const rebound_answer* answer);
const char* rebound_answer_fault(const rebound_answer* answer);    /* "recipient" */
const char* rebound_answer_suppress(const rebound_answer* answer); /* "yes" "no" "after_repeats" */

int rebound_answer_momentum_code(const rebound_answer* answer);             /* 22 */
const char* rebound_answer_momentum_name(const rebound_answer* answer);     /* "Mailbox Full" */
const char* rebound_answer_momentum_category(const rebound_answer* answer); /* "Soft" */
const char* rebound_answer_momentum_description(const rebound_answer* answer);

/* As it stands in its list, and the list's file. */
const char* rebound_answer_override_rule(const rebound_answer* answer);
const char* rebound_answer_override_source(const rebound_answer* answer);

const char* rebound_answer_smtp_code(const rebound_answer* answer);     /* "550" */
const char* rebound_answer_enhanced_code(const rebound_answer* answer); /* "5.1.1" */
long rebound_answer_retry_after(const rebound_answer* answer);          /* seconds, 1 to 86,400 */
/* The most specific first. */
size_t rebound_answer_blocklist_count(const rebound_answer* answer);
const char* rebound_answer_blocklist_name(const rebound_answer* answer, size_t index);
const char* rebound_answer_blocklist_type(const rebound_answer* answer, size_t index); /* "ip" */
int rebound_answer_blocklist_host(const rebound_answer* answer, size_t index); /* by its host */

/* --- Whole messages --- */

/* `message`: RFC 5322 bytes, at most 64 MiB. A message that is no bounce is no failure. */
rebound_status rebound_classify_message(rebound_client* client, const char* message, size_t length,
                                        rebound_report** report);
void rebound_report_free(rebound_report* report);

/* An answer of POST /v3/dsn without its `models`. */
const char* rebound_report_json(const rebound_report* report);
const char* rebound_report_kind(const rebound_report* report); /* "dsn", "freeform", "none", … */
const char* rebound_report_reason(const rebound_report* report); /* why it is no bounce */
/* Of the first recipient that was answered; 60 and 100 of automatic answers; 0 where the message is
 * no bounce. */
int rebound_report_momentum_code(const rebound_report* report);
const char* rebound_report_momentum_name(const rebound_report* report);
const char* rebound_report_momentum_description(const rebound_report* report);

size_t rebound_report_count(const rebound_report* report); /* recipients */
const char* rebound_report_recipient(const rebound_report* report, size_t index);
const char* rebound_report_action(const rebound_report* report, size_t index); /* "failed" */
const char* rebound_report_status(const rebound_report* report, size_t index); /* "5.1.1" */
const char* rebound_report_text(const rebound_report* report, size_t index);
/* The report's own: never free it. NULL where there is no text to classify. */
const rebound_answer* rebound_report_answer(const rebound_report* report, size_t index);

/* --- Vocabularies --- */

/* By task the labels in alphabetical order; NULL beyond the last. */
const char* rebound_label_name(int task, size_t index);
/* "retry" of "mailbox_full"; "review" of what is no action label. */
const char* rebound_recommended_action(const char* label);

#ifdef __cplusplus
}
#endif
#endif /* REBOUND_H */
