// test_bundles_write ROOT [TASK...]: publishes and promotes one synthetic bundle a task under ROOT.
#include <filesystem>
#include <iostream>

#include "base/error.h"
#include "tests/support/bundles.h"

int main(int argc, char** argv) {
  using namespace rebound;
  if (argc < 2) {
    std::cerr << "usage: test_bundles_write ROOT [TASK...]\n";
    return 2;
  }
  try {
    BundleStore store(argv[1]);
    for (const Task task : kTasks) {
      bool wanted = argc == 2;
      for (int i = 2; i < argc; ++i) wanted = wanted || ParseTask(argv[i]) == task;
      if (!wanted) continue;
      test::TestBundle bundle;
      bundle.task = task;
      // One of each kind of network: bag, table_cnn, bag with a hidden layer.
      if (task == Task::kBackoff) bundle.network = kTableCnnNetwork;
      bundle.hidden = task == Task::kAction;
      const int version = test::PublishTestBundle(&store, bundle);
      std::cout << store.BundleFolder(task, version).string() << '\n';
    }
    return 0;
  } catch (const Error& error) {
    std::cerr << "test_bundles_write: " << error.what() << '\n';
    return 1;
  }
}
