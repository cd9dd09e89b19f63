/* rebound.h in plain C99, with every argument wrong once: nothing may crash. */
#include <rebound.h>
#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      fprintf(stderr, "%s:%d: %s; last error: %s\n", __FILE__, __LINE__, #condition, \
              rebound_last_error());                                                 \
      return 1;                                                                      \
    }                                                                                \
  } while (0)

int main(int argc, char** argv) {
  rebound_client* client = NULL;
  rebound_client* none = NULL;
  rebound_answer* answer = NULL;
  rebound_report* report = NULL;
  char* json = NULL;

  CHECK(argc == 2);
  CHECK(rebound_abi() == REBOUND_ABI);
  CHECK(strcmp(rebound_last_error(), "") == 0);
  CHECK(rebound_open("/nonexistent", &none) == REBOUND_NOT_FOUND && none == NULL);
  CHECK(strstr(rebound_last_error(), "/nonexistent") != NULL);
  CHECK(rebound_open(argv[1], &client) == REBOUND_OK);
  CHECK(strstr(rebound_last_error(), "/nonexistent") != NULL); /* success says nothing */

  CHECK(rebound_classify(client, NULL, REBOUND_TO_NUL, NULL, REBOUND_SMTP, &answer) ==
        REBOUND_INVALID_ARGUMENT);
  CHECK(rebound_classify(client, "", 0, NULL, REBOUND_SMTP, &answer) == REBOUND_INVALID_ARGUMENT);
  CHECK(rebound_classify(client, "x", 1, NULL, 7, &answer) == REBOUND_INVALID_ARGUMENT);
  CHECK(rebound_classify(client, "x", 1, NULL, REBOUND_SMTP, NULL) == REBOUND_INVALID_ARGUMENT);
  CHECK(rebound_classify(NULL, "x", 1, NULL, REBOUND_SMTP, &answer) == REBOUND_INVALID_ARGUMENT);
  CHECK(rebound_classify((rebound_client*)argv, "x", 1, NULL, REBOUND_SMTP, &answer) ==
        REBOUND_INVALID_ARGUMENT); /* never opened */
  CHECK(rebound_classify_message(client, NULL, 3, &report) == REBOUND_INVALID_ARGUMENT);
  CHECK(rebound_rules_json(NULL, &json) == REBOUND_INVALID_ARGUMENT && json == NULL);

  CHECK(rebound_classify(client, "550 unknown \xff\xfe", REBOUND_TO_NUL, NULL, REBOUND_SMTP,
                         &answer) == REBOUND_OK);
  CHECK(strcmp(rebound_answer_label(answer), "user_unknown") == 0);
  CHECK(rebound_answer_blocklist_name(answer, (size_t)-1) == NULL);
  rebound_close(client);
  rebound_close(client);
  CHECK(rebound_reload(client, NULL) == REBOUND_INVALID_ARGUMENT);
  CHECK(strcmp(rebound_answer_action(answer), "remove") == 0); /* it outlives the client */
  rebound_answer_free(answer);
  return 0;
}
