/* Says of each text of its command line what became of the mail and what to do.
 *
 *     cc classify.c $(pkg-config --cflags --libs rebound) -o classify
 *     ./classify MODELS_FOLDER "550 5.1.1 user unknown" ...
 */
#include <rebound.h>
#include <stdio.h>

static int fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, rebound_last_error());
  return 1;
}

int main(int argc, char** argv) {
  rebound_client* client;
  int i;

  if (argc < 3) {
    fprintf(stderr, "usage: %s MODELS_FOLDER TEXT...\n", argv[0]);
    return 2;
  }
  if (rebound_open(argv[1], &client) != REBOUND_OK) return fail(argv[1]);
  for (i = 2; i < argc; ++i) {
    rebound_answer* answer;
    if (rebound_classify(client, argv[i], REBOUND_TO_NUL, NULL, REBOUND_SMTP, &answer) !=
        REBOUND_OK) {
      rebound_close(client);
      return fail(argv[i]);
    }
    printf("%s (%.2f): %s, suppress %s, Momentum %d %s", rebound_answer_label(answer),
           rebound_answer_confidence(answer), rebound_answer_action(answer),
           rebound_answer_suppress(answer), rebound_answer_momentum_code(answer),
           rebound_answer_momentum_name(answer));
    if (rebound_answer_retry_after(answer) > 0)
      printf(", try again in %ld s", rebound_answer_retry_after(answer));
    if (rebound_answer_blocklist_count(answer) > 0)
      printf(", listed by %s", rebound_answer_blocklist_name(answer, 0));
    printf("\n");
    rebound_answer_free(answer);
  }
  rebound_close(client);
  return 0;
}
