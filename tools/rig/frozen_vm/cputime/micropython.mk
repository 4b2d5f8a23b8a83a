SRC_USERMOD_C += $(USERMOD_DIR)/cputime.c
