rebound_library(test_ldap ldap.cc DEPS datasource test_postgres base)
