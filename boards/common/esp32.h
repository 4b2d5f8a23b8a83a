#define MICROPY_ROM_CODE (1) // tools/romcode
#define MICROPY_PY_BLUETOOTH (0)
// Names in the local network are asked for by lib/dnsq.
#define MICROPY_HW_ENABLE_MDNS_QUERIES (0)
#define MICROPY_HW_ENABLE_MDNS_RESPONDER (0)
#define MICROPY_PY_ESPNOW (0)
