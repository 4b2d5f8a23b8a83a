// Arithmetic that a chip's mask ROM has, and so the compiler's library for it has not; by the
// library's names. Floats as IEEE 754 has them, rounded to nearest; doubles are only converted.

#include <stdbool.h>
#include <stdint.h>

typedef union {
    float value;
    uint32_t bits;
} single_t;

typedef union {
    double value;
    uint64_t bits;
} double_t;

// A number is fraction / 2^30 * 2^(exponent - BIAS); where it is not 0, unpack() makes bit 30 the
// highest that is set. The 7 lowest bits are for rounding.
typedef struct {
    uint32_t sign;
    int exponent;
    uint32_t fraction;
} parts_t;

#define BIAS (127)
#define SPECIAL (255) // the exponent of infinity and NaN
#define INFINITY_BITS (0x7f800000)
#define NAN_BITS (0x7fc00000)
#define SIGN (0x80000000)

uint32_t __udivsi3(uint32_t a, uint32_t b);
uint32_t __umodsi3(uint32_t a, uint32_t b);
int32_t __divsi3(int32_t a, int32_t b);
uint64_t __umulsidi3(uint32_t a, uint32_t b);
float __addsf3(float a, float b);
float __subsf3(float a, float b);
float __mulsf3(float a, float b);
float __floatunsisf(uint32_t a);
float __floatsisf(int32_t a);
uint32_t __fixunssfsi(float a);
double __extendsfdf2(float a);
float __truncdfsf2(double a);

static uint32_t divided(uint32_t a, uint32_t b, uint32_t *rest) {
    uint32_t quotient = 0;
    if (b != 0 && a >= b) {
        int shift = __builtin_clz(b) - __builtin_clz(a);
        for (b <<= shift; shift >= 0; --shift, b >>= 1) {
            quotient <<= 1;
            if (a >= b) {
                a -= b;
                quotient |= 1;
            }
        }
    }
    *rest = a;
    return quotient;
}

uint32_t __udivsi3(uint32_t a, uint32_t b) {
    uint32_t rest;
    return divided(a, b, &rest);
}

uint32_t __umodsi3(uint32_t a, uint32_t b) {
    uint32_t rest;
    divided(a, b, &rest);
    return rest;
}

int32_t __divsi3(int32_t a, int32_t b) {
    uint32_t quotient = __udivsi3(a < 0 ? -(uint32_t)a : a, b < 0 ? -(uint32_t)b : b);
    return (a < 0) == (b < 0) ? quotient : -quotient;
}

uint64_t __umulsidi3(uint32_t a, uint32_t b) {
    uint32_t low = (a & 0xffff) * (b & 0xffff);
    uint32_t middle = (a >> 16) * (b & 0xffff) + (low >> 16);
    uint32_t other = (a & 0xffff) * (b >> 16) + (middle & 0xffff);
    uint32_t high = (a >> 16) * (b >> 16) + (middle >> 16) + (other >> 16);
    return ((uint64_t)high << 32) | (other << 16) | (low & 0xffff);
}

// Shifted to the right; the lowest bit says whether anything was lost.
static uint32_t shifted(uint32_t fraction, int by) {
    if (by == 0) {
        return fraction;
    }
    return by < 32 ? (fraction >> by) | (fraction << (32 - by) != 0) : fraction != 0;
}

static parts_t unpack(single_t number) {
    parts_t parts = {number.bits & SIGN, (number.bits >> 23) & 0xff, (number.bits & 0x7fffff) << 7};
    if (parts.exponent != 0) {
        parts.fraction |= 1 << 30;
    } else if (parts.fraction != 0) {
        int zeros = __builtin_clz(parts.fraction) - 1;
        parts.fraction <<= zeros;
        parts.exponent = 1 - zeros;
    }
    return parts;
}

static float pack(uint32_t sign, int exponent, uint32_t fraction) {
    single_t number = {.bits = sign};
    if (fraction == 0) {
        return number.value;
    }
    int zeros = __builtin_clz(fraction) - 1;
    fraction = zeros < 0 ? shifted(fraction, 1) : fraction << zeros;
    exponent -= zeros;
    if (exponent >= SPECIAL) {
        number.bits |= INFINITY_BITS;
        return number.value;
    }
    if (exponent <= 0) {
        fraction = shifted(fraction, 1 - exponent);
        exponent = 1;
    }
    uint32_t rest = fraction & 0x7f;
    fraction >>= 7;
    fraction += rest > 0x40 || (rest == 0x40 && (fraction & 1));
    // Bit 23, where there is one, adds 1 to the exponent.
    number.bits |= ((uint32_t)(exponent - 1) << 23) + fraction;
    return number.value;
}

static bool is_nan(single_t number) {
    return (number.bits & ~SIGN) > INFINITY_BITS;
}

static float not_a_number(void) {
    return (single_t) {.bits = NAN_BITS}.value;
}

float __addsf3(float a, float b) {
    single_t large = {.value = a}, small = {.value = b};
    if ((large.bits & ~SIGN) < (small.bits & ~SIGN)) {
        single_t swap = large;
        large = small;
        small = swap;
    }
    parts_t one = unpack(large), other = unpack(small);
    if (one.exponent == SPECIAL) {
        bool opposite = other.exponent == SPECIAL && one.sign != other.sign;
        return is_nan(large) || opposite ? not_a_number() : large.value;
    }
    uint32_t fraction = shifted(other.fraction, one.exponent - other.exponent);
    if (one.sign == other.sign) {
        return pack(one.sign, one.exponent, one.fraction + fraction);
    }
    fraction = one.fraction - fraction;
    return pack(fraction == 0 ? 0 : one.sign, one.exponent, fraction);
}

float __subsf3(float a, float b) {
    single_t negative = {.value = b};
    negative.bits ^= SIGN;
    return __addsf3(a, negative.value);
}

float __mulsf3(float a, float b) {
    single_t first = {.value = a}, second = {.value = b};
    parts_t one = unpack(first), other = unpack(second);
    uint32_t sign = one.sign ^ other.sign;
    if (one.exponent == SPECIAL || other.exponent == SPECIAL) {
        bool by_zero = one.fraction == 0 || other.fraction == 0;
        single_t infinity = {.bits = sign | INFINITY_BITS};
        return is_nan(first) || is_nan(second) || by_zero ? not_a_number() : infinity.value;
    }
    uint64_t product = __umulsidi3(one.fraction, other.fraction);
    uint32_t fraction = product >> 30;
    fraction |= (product & ((1 << 30) - 1)) != 0;
    return pack(sign, one.exponent + other.exponent - BIAS, fraction);
}

float __floatunsisf(uint32_t a) {
    return pack(0, BIAS + 30, a);
}

float __floatsisf(int32_t a) {
    return a < 0 ? pack(SIGN, BIAS + 30, -(uint32_t)a) : pack(0, BIAS + 30, a);
}

uint32_t __fixunssfsi(float a) {
    parts_t parts = unpack((single_t) {.value = a});
    int shift = BIAS + 30 - parts.exponent;
    if (parts.sign != 0 || shift > 30) {
        return 0;
    }
    return shift >= 0 ? parts.fraction >> shift : parts.fraction << 1;
}

double __extendsfdf2(float a) {
    single_t number = {.value = a};
    parts_t parts = unpack(number);
    double_t wide = {.bits = (uint64_t)parts.sign << 32};
    if (parts.exponent == SPECIAL) {
        wide.bits |= ((uint64_t)0x7ff << 52) | ((uint64_t)(number.bits & 0x7fffff) << 29);
    } else if (parts.fraction != 0) {
        wide.bits |= (uint64_t)(parts.exponent - BIAS + 1023) << 52;
        wide.bits |= (uint64_t)(parts.fraction & ((1 << 30) - 1)) << 22;
    }
    return wide.value;
}

float __truncdfsf2(double a) {
    double_t wide = {.value = a};
    uint32_t sign = (uint32_t)(wide.bits >> 32) & SIGN;
    int exponent = (int)(wide.bits >> 52) & 0x7ff;
    uint64_t fraction = wide.bits & (((uint64_t)1 << 52) - 1);
    if (exponent == 0x7ff) {
        single_t infinity = {.bits = sign | INFINITY_BITS};
        return fraction != 0 ? not_a_number() : infinity.value;
    }
    if (exponent == 0) {
        return pack(sign, 0, 0); // less than any that is not 0
    }
    uint32_t high = (uint32_t)(fraction >> 22) | 1 << 30;
    return pack(sign, exponent - 1023 + BIAS, high | ((fraction & ((1 << 22) - 1)) != 0));
}
