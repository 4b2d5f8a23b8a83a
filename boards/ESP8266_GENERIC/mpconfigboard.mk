include $(BOARD_DIR)/../common/esp8266.mk
