rebound_library(test_bundles bundles.cc DEPS models tokenizer base)
# test_bundles_write ROOT: what tests that are scripts need, and what made tests/testdata/bundles.
rebound_binary(test_bundles_write bundles_write_main.cc DEPS test_bundles)
