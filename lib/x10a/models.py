"""Which rows each model has: a bit per row; made by tools/x10a_models.py."""

# model, refrigerant, bits of rows_outdoor, rows_s, rows_indoor, rows_more
MODELS = b"""
core 802 0000310100060000c200000008000000000001 - 000303008807c00f000000008003 -
altherma-ebla-edla-d-series-4-8kw-monobloc 802 \
fbafff0100f6bfffcb02d1042809002100000100000061050002a884 - 7d67af49cdaffc4fffffef12a96b02 \
7f590af04d06cf3ac07fe9ffff07
altherma-ebla-edla-d-series-9-16kw-monobloc 802 \
fbafff0100f6bfffd384d0042809002100000100000061050002a842 - 7d67af49cdaffc2fffffef12a96b \
7f5905f04d06cfbade7fe5ffff07
altherma-egsah-x-ewsah-x-d-series-6-10kw-geo3 802 \
fbafff0100f6bfffc721d0042821000801000109004060050002a818 - bda7d749cdaffc1fffffef12a96b \
ff0000e802000038
altherma-egsqh-a-series-10kw-geo2 801 fbafff0100f6bfffc721085169c07f10a28d45ff3535920208 - \
bd53d749adaffc1fffffef24a9abfc03 ff0000004c060f
altherma-epga-d-eab-eav-eavz-d-j-series-11-16kw 802 \
fbafff0100f6bfffd384d00428038020880d0100000061f907a106 - bd67d749cdaffc2fffffef12a92b01 \
ff0000004d06cf3a004000c003
altherma-epra-d-d7-etsh-x-16p30-50-e-e7-series-14-18kw-ech2o 802 \
fbafff0100f6bfffd384d0042809002100000100000061050002a842 - bd67af49cdaffc2fffffef92d46b \
7fa3e0ef4d06cffaec7fe5ffff07
altherma-epra-d-d7-etv16-etb16-etvz16-e-e7-series-14-18kw 802 \
fbafff0100f6bfffd384d0042809002100000100000061050002a842 - bd67af49cdaffc2fffffef92d46b \
7fa3e0ef4d06cffaec7fe5ffff07
altherma-epra-d-etsh-x-16p30-50-d-series-14-16kw-ech2o 802 \
fbafff0100f6bfffd384d0042809002100000100000061050002a842 - bd67af49cdaffc2fffffef12a96b \
7f5901f24d06cf3ac07fe5ffff07
altherma-epra-d-etv16-etb16-etvz16-d-series-14-16kw 802 \
fbafff0100f6bfffd384d0042809002100000100000061050002a842 - bd67af49cdaffc2fffffef12a96b \
7f5905f04d06cf3ac07fe5ffff07
altherma-epra-e-etsh-x-16p30-50-e-series-8-12kw-ech2o 802 \
fbafff0100f6bfffd384d0042809002104000100000061050002a842 - bd67af49cdaffc2fffffef92d46b \
7fa3e0ef4d06cffaec7fe5ffff07
altherma-epra-e-etv16-etb16-etvz16-e-ej-series-8-12kw 802 \
fbafff0100f6bfffd384d0042809002104000100000061050002a842 - bd67af49cdaffc2fffffef92d46b \
7fa3e0ef4d06cffaec7fe5ffff07
altherma-erga-d-ehsh-x-p30-50-d-series-04-08kw-ech2o 802 \
fbafff0100f6bfffcb82040a68c07f10a28d43ff872692020c - bd67d749adaffc2fffffef22a96b02 \
ff0000004c06cf3a
altherma-erga-d-ehv-ehb-ehvz-da-series-04-08kw 802 \
fbafff0100f6bfffcb82040a68c07f10a28d43ff872692020c - bd67d749adaffc2fffffef22a96b02 \
ff0000004c06cf3a
altherma-erga-d-ehv-ehb-ehvz-dj-series-04-08-kw 802 \
fbafff0100f6bfffcb02d1042809002100000100008060050002b084 - bd67af49cdaffc2fffffef12a96b02 \
7f590af04d06cf3ac07fe9ffff07
altherma-erga-e-ehsh-x-p30-50-e-ef-series-04-08kw-ech2o 802 \
fbafff0100f6bfffcb02d1042809002100000100000061050002a884 - bd67af49cdaffc2fffffef92d46b02 \
7fa3e0e74d06cfbadd7fe9ffff07
altherma-erga-e-ehv-ehb-ehvz-e-ej-series-04-08kw 802 \
fbafff0100f6bfffcb02d1042809002100000100000061050002a884 - bd67af49cdaffc2fffffef12a96b02 \
7f5918f04d06cf3ac07fe9ffff07
altherma-erla-d-ebsh-x-16p30-50-d-series-11-16kw-ech2o 802 \
fbafff0100f6bfffd384d0042809002100000100000061050002a842 - bd67af49cdaffc2fffffef92946b \
7fa3e0ef4d06cfbade7fe5ffff07
altherma-erla-d-ebv-ebb-ebvz-d-series-11-16kw 802 \
fbafff0100f6bfffd384d0042809002100000100000061050002a842 - bd67af49cdaffc2fffffef92d46b \
7fa5e0ef4d06cfbaee7fe5ffff07
altherma-erla03-d-ehfh-ehfz-dj-series-3kw 802 fbafff0100f6bfffcb82040a68c07f10a28d43ff872692020c \
- bd67d749adaffc2fffffef22a96b02 ff0000004c06cf3a
altherma-hybrid 801 fbafff0100f6bfffcb48205169c07f10a24dc3ffd526920208 - \
bd53d749adaffc8fffffdf22a9abfc03 ff0000006c060f
altherma-lt-ca-cb-04-08kw 801 fbafff0100f6bfffcb82041168c07f10a28d45ffc726920208 - \
bd67d749adaffc2fffffef22a9abfc03 ff0000004c06cf04
altherma-lt-ca-cb-11-16kw 801 fbafff0100f6bfffcb82045169c07f10a20d0100000061c1f75c01 - \
bd53d729adaffc2fffffef22a9abfc03 ff0000004c063f04
altherma-lt-cb-04-08kw-bizone 801 fbafff0100f6bfffcb82041168c07f10a28d45ffc726920208 - \
bd67d749adaffc2fffffef22a9abfc03 ff0000004c06cf04
altherma-lt-cb-11-16kw-bizone 801 fbafff0100f6bfffcb82045169c07f10a24d45ffcd2c920208 - \
bd53d729adaffc2fffffef22a9abfc03 ff0000004c063f04
altherma-lt-eblq-eblq-ca-series-5-7kw-monobloc 801 \
fbafff0100f6bfffe35002119c040042008045ff2727920208 - bd53d749cdaffc0fffffef22a9abfc03 \
ff0000004c060f
altherma-lt-eblq-edlq-ca-series-11-16kw-monobloc 801 \
fbafff0100f6bfffcb82045169c07f10a20d0100000061c1f75c01 - bd53d729adaffc2fffffef22a9abfc03 \
ff0000004c063f04
altherma-lt-multi-dhwhp 801 fbafff0100f6bfffcb82041168c07f10a28d45ffc726920208 - \
bd4bd749cdaffc2fffffef49a297fc03 ff0000004c06cf04
altherma-lt-multi-hybrid 801 fbafff0100f6bfffcb82041168c07f10a28d45ffc726920208 - \
bd4bd749cdaffc2fffffef49a297fc03 ff0000006c06cf04
daikin-mini-chiller-ewaa-ewya-d-series-4-8kw 802 \
fbafff0100f6bfffcb02d1042809002100000100000061050002a884 - bd67af49cdaffc2fffffef12a96b02 \
7f590af04d06cf3ac07fe9ffff07
daikin-mini-chiller-ewaa-ewya-d-series-9-16kw 801 \
fbafff0100f6bfffcb82045169c07f10a24d45ffcd2c920208 - bd53d729adaffc2fffffef22a9abfc03 \
ff0000004c063f04
daikin-mini-chiller-ewaq-ewyq-b-series-4-8kw 801 \
fbafff0100f6bfffe35002119c040042008045ff2727920208 - bd53d749cdaffc0fffffef22a9abfc03 \
ff0000004c060f
default 801 f757fffffff77f00e250a0a42a11008450723dc9c7261e - be93d7969a57f30f -
ekhwet-bav3-multi-dhw-tank 802 fbafff0100eebfffcb82501128090021000001000000610500026821 - \
bd67d749cdaffc2fffffef12a96b 7f5905f09df9ce39c0ffd2ffff07
protocol-s-rotex 802 - 480aaad61f - -
protocol-s 802 - b7f555e90f - -
"""
