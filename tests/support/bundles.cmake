rebound_library(test_bundles bundles.cc DEPS models tokenizer base)
# test_bundles_write ROOT: what tests that are scripts need, and what made tests/testdata/bundles.
rebound_binary(test_bundles_write bundles_write_main.cc DEPS test_bundles)
# For programs of their own: every operator new in them is counted.
add_library(test_counting_new OBJECT counting_new.cc)
target_link_libraries(test_counting_new PRIVATE rebound_flags)
