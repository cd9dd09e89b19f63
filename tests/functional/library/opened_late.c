/* A plug-in's life: librebound is opened by dlopen, used by a thread, closed, opened again, while
 * the thread still lives. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* library;
static const char* models;
static pthread_barrier_t barrier;

static void* symbol(void* handle, const char* name) {
  void* const found = dlsym(handle, name);
  if (found == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return found;
}

static void use(void) {
  int (*open_client)(const char*, void**);
  int (*classify)(void*, const char*, size_t, const char*, int, void**);
  void (*free_answer)(void*);
  void (*close_client)(void*);
  const char* (*label_of)(const void*);
  void* client = NULL;
  void* answer = NULL;
  void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  *(void**)&open_client = symbol(handle, "rebound_open");
  *(void**)&classify = symbol(handle, "rebound_classify");
  *(void**)&free_answer = symbol(handle, "rebound_answer_free");
  *(void**)&close_client = symbol(handle, "rebound_close");
  *(void**)&label_of = symbol(handle, "rebound_answer_label");
  if (open_client(models, &client) != 0 ||
      classify(client, "550 unknown", (size_t)-1, NULL, 0, &answer) != 0 ||
      strcmp(label_of(answer), "user_unknown") != 0) {
    fprintf(stderr, "opened_late: no answer\n");
    exit(1);
  }
  free_answer(answer);
  close_client(client);
  dlclose(handle);
}

static void* worker(void* unused) {
  use();
  pthread_barrier_wait(&barrier); /* the library is closed */
  pthread_barrier_wait(&barrier); /* and open again */
  return unused;                  /* what the thread held in the library is freed now */
}

int main(int argc, char** argv) {
  pthread_t thread;
  if (argc != 3) return 2;
  library = argv[1];
  models = argv[2];
  pthread_barrier_init(&barrier, NULL, 2);
  if (pthread_create(&thread, NULL, worker, NULL) != 0) return 1;
  pthread_barrier_wait(&barrier);
  use();
  pthread_barrier_wait(&barrier);
  pthread_join(thread, NULL);
  pthread_barrier_destroy(&barrier);
  return 0;
}
