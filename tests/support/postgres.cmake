rebound_library(test_postgres postgres.cc reused_stores.cc DEPS labelstore datasource base GTest::gtest)
