// A message costs no allocation once the buffers have grown: counted by our own operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "base/file.h"
#include "engine/engine.h"
#include "models/bundle_store.h"
#include "models/classifier.h"
#include "tests/support/bundles.h"

namespace {

std::atomic<size_t> allocations{0};

void* Allocate(size_t size, size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new[](size_t size) { return Allocate(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace rebound {
namespace {

const std::string kLong = [] {
  std::string text = "550 5.7.1 ";
  for (int i = 0; i < 300; ++i) text += "message rejected because of policy ";
  return text;
}();
constexpr std::string_view kShort = "smtp;451 4.7.1 <a@example.com>: Greylisting in effect";

TEST(Allocation, OurCounterCounts) {
  const size_t before = allocations;
  delete new int(1);
  EXPECT_EQ(allocations, before + 1);
}

TEST(Allocation, ClassifyingAWarmMessageAllocatesNothing) {
  for (const std::string_view network : {kBagNetwork, kTableCnnNetwork}) {
    const TempFolder folder;
    BundleStore store(folder.path());
    test::TestBundle bundle;
    bundle.network = network;
    bundle.hidden = true;
    const int version = test::PublishTestBundle(&store, bundle);
    const auto classifier = Classifier::Load(store.BundleFolder(Task::kBnac, version));
    Classifier::Scratch scratch;
    classifier->ClassifyText(kLong, &scratch);
    classifier->ClassifyText(kShort, &scratch);
    const size_t before = allocations;
    for (int i = 0; i < 10; ++i) {
      classifier->ClassifyText(kShort, &scratch);
      classifier->ClassifyText(kLong, &scratch);
      classifier->ClassifyText("", &scratch);
    }
    EXPECT_EQ(allocations, before) << network;
  }
}

TEST(Allocation, AnsweringAllTasksOfAWarmMessageAllocatesNothing) {
  const TempFolder folder;
  BundleStore store(folder.path());
  Engine engine;
  for (const Task task : kTasks) {
    test::TestBundle bundle;
    bundle.task = task;
    bundle.fallback_threshold = 1.0;  // the codes are asked every time
    const int version = test::PublishTestBundle(&store, bundle);
    engine.Swap(task, Classifier::Load(store.BundleFolder(task, version)));
  }
  Engine::Scratch scratch;
  const auto answer = [&](std::string_view text) {
    const ModelSet models = engine.Take();
    Engine::Prepare(text, &scratch);
    for (const Task task : kTasks) {
      Engine::Decide(models, task, Engine::Predict(models, task, &scratch), text, &scratch);
    }
  };
  constexpr std::string_view kByCode = "550 5.1.1 tls";
  for (const std::string_view text : {std::string_view(kLong), kShort, kByCode}) answer(text);
  const size_t before = allocations;
  for (const std::string_view text : {std::string_view(kLong), kShort, kByCode}) answer(text);
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace rebound
