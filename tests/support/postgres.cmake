rebound_library(test_postgres postgres.cc DEPS labelstore datasource base)
