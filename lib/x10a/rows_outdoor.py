"""Rows of registers; made by tools/x10a_models.py, see x10a.table."""

ROWS = b"""
=00
0 152 1 -x sensor_data_qty
1 152 1 -x inv_compressor_qty
2 152 1 -x std_compressor
2 152 1 -x std_compressor_qty
3 152 1 -x fan_data_qty
4 152 1 -x expansion_valve_data_qty
5 152 1 -x 4_way_valve_data_qty
6 152 1 -x crank_case_heater_qty
7 152 1 -x solenoid_valve_qty
8 152 1 -x max_connectable_indoor_units
9 152 1 -x connected_indoor_unit_qty
10 152 1 #x o_u_mpu_id_xx
10 213 1 -x o_u_mpu_id_00_10
11 152 1 #x o_u_mpu_id_yy
11 213 1 -x o_u_mpu_id_00_11
12 155 1 wx o_u_capacity_kw
=10
0 217 1 - operation_mode
1 300 1 - low_noise_control
1 301 1 - demand_signal
1 302 1 - pressure_equalizing_operation
1 303 1 - oil_return oil_return_operation
1 304 1 - defrost defrost_operation
1 305 1 - startup_control
1 306 1 - restart_standby
1 307 1 - thermostat thermostat_on_off
2 300 1 - other_control_8
2 301 1 - other_control_7
2 302 1 - other_control_6
2 303 1 - other_control_5
2 304 1 - other_control_4
2 305 1 - other_control_3
2 306 1 - other_control_2
2 307 1 - other_control_1
3 300 1 - other_control_16
3 301 1 - other_control_15
3 302 1 - other_control_14
3 303 1 - other_control_13
3 304 1 - other_control_12
3 305 1 - other_control_11
3 306 1 - other_control_10
3 307 1 - other_control_9
4 203 1 - error_type
5 204 1 - error_code
6 114 2 t dhw_supply_temperature
6 114 2 t target_evap_temp
8 114 2 t target_cond_temp
10 303 1 - comp_inv_current_drop
10 307 1 - discharge_temp_drop_10
10 310 1 - discharge_temp_protection_retry_qty
10 311 1 - comp_inv_current_protection_retry_qty
11 303 1 - lp_drop_control
11 307 1 - hp_drop_control
11 310 1 - hp_protection_retry_qty
11 311 1 - lp_protection_retry_qty
12 303 1 - other_control
12 303 1 - other_drop_control
12 307 1 - fin_temp_drop_control
12 310 1 - fin_temp_protection_retry_qty
12 311 1 -x unused_10_12_311 not_in_use
=11
0 215 1 -x o_u_eeprom_1st_digit
1 215 1 -x o_u_eeprom_3rd_4th_digit
2 215 1 -x o_u_eeprom_5th_6th_digit
3 215 1 -x o_u_eeprom_7th_8th_digit
4 215 1 -x o_u_eeprom_10th_digit
5 214 1 -x o_u_eeprom_11th_digit
=20
0 105 2 t outdoor_temperature outdoor_air_temp r1t_outdoor_air_temp
2 105 2 t 2_phase_thermistor_r4t
2 105 2 t o_u_heat_exch_temp
2 105 2 t o_u_heat_exch_temp_r4t
2 105 2 t outdoor_heat_exchanger_temp
4 105 2 t discharge_temperature discharge_pipe_temp discharge_pipe_temp_r2t
6 105 2 t suction_temperature suction_pipe_temp suction_pipe_temp_r3t suction_pipe_temperature
8 105 2 t entering_brine_temp_r5t
8 105 2 t heat_exchanger_mid_temp
8 105 2 t heat_exchanger_mid_temp_r5t
8 105 2 t o_u_heat_exch_mid_temp
8 105 2 t outdoor_heat_exchanger_mid_temp
10 105 2 t leaving_brine_temp_r6t
10 105 2 t liquid_pipe_temp
10 105 2 t liquid_pipe_temp_r6t
10 105 2 t liquid_temperature_r3t
12 105 2 t fin_temp
12 105 2 t heat_sink_temp
12 105 2 t heat_sink_temp_r10t
12 105 2 p high_pressure
12 105 2 t inv_fin_temp_20
12 405 2 t high_pressure_t
14 105 2 p low_pressure
14 105 2 p pressure_20
14 105 2 p pressure_sensor
14 405 2 t low_pressure_t
14 405 2 t pressure_sensor_t_20
14 405 2 t pressure_t
16 105 2 - sensor_data_9_20
16 105 2 -x unused_20_16_105 not_in_use
18 105 2 - sensor_data_10_20
18 105 2 -x unused_20_18_105 not_in_use
20 105 2 - sensor_data_11_20
=21
0 105 2 a inv_secondary_current_a
0 105 2 a inverter_current inv_primary_current_a
2 101 2 v inverter_voltage voltage_n_phase_v
2 105 2 a inverter_current_secondary inv_secondary_current_a
4 101 2 v inverter_voltage voltage_n_phase_v voltage_v
4 105 2 t brine_inlet_temp
4 105 2 t inv_fin_temp_21
6 105 2 t brine_inlet_temp
6 105 2 t brine_outlet_temp
6 105 2 t fan1_fin_temp
6 105 2 - sensor_data_4
6 152 2 t fan1_fin_temp
6 300 1 -x unused_21_6_300 not_in_use
6 301 1 -x unused_21_6_301 not_in_use
6 302 1 -x unused_21_6_302 not_in_use
6 303 1 -x unused_21_6_303 not_in_use
6 304 1 -x unused_21_6_304 not_in_use
6 305 1 -x unused_21_6_305 not_in_use
6 306 1 -x unused_21_6_306 not_in_use
6 307 1 - brine_flow_switch
7 105 2 t brine_inlet_temp
8 105 2 t brine_outlet_temp
8 105 2 t fan2_fin_temp
8 105 2 t refrig_temp_evap_in
8 105 2 - sensor_data_5
8 152 2 t fan2_fin_temp
9 105 2 t brine_outlet_temp
10 105 2 t compressor_outlet_temperature
10 105 2 t refrig_temp_evap_out
10 105 2 - sensor_data_6
10 152 2 t compressor_outlet_temperature
11 105 2 t refrig_temp_evap_in
12 105 2 t injection_tube_temperature
12 105 2 t refrig_temp_evap_out
12 105 2 - sensor_data_7
13 105 2 t refrig_temp_evap_out
14 105 2 - sensor_data_8
15 105 1 -x unused_21_15_105 not_in_use
16 105 1 -x unused_21_16_105 not_in_use
16 105 2 - sensor_data_9_21
17 105 1 -x unused_21_17_105 not_in_use
18 105 1 -x unused_21_18_105 not_in_use
18 105 2 - sensor_data_10_21
20 105 2 - sensor_data_11_21
=30
0 151 2 -x expansion_valve_1_pls
0 151 2 -x expansion_valve_pls
0 152 1 h compressor_speed inv_frequency_1_rps inv_frequency_rps
0 211 1 -x fan_1_10_rpm
0 211 1 -x fan_1_step
0 300 1 -x solenoid_valve_8
0 301 1 -x solenoid_valve_7
0 302 1 -x solenoid_valve_6
0 303 1 -x 4_way_valve_5
0 303 1 -x crank_case_heater_5
0 303 1 -x solenoid_valve_5
0 304 1 -x 4_way_valve_4
0 304 1 -x crank_case_heater_4
0 304 1 -x solenoid_valve_4
0 305 1 -x 4_way_valve_3
0 305 1 -x crank_case_heater_3
0 305 1 -x solenoid_valve_3
0 306 1 -x 4_way_valve_2
0 306 1 -x crank_case_heater_2
0 306 1 -x solenoid_valve_2
0 306 1 -x std_compressor_2
0 306 1 -x sv2_bph
0 306 1 -x sv_bph
0 307 1 -x 4_way_valve
0 307 1 -x 4_way_valve_1
0 307 1 -x crank_case_heater_1
0 307 1 -x crank_case_heater_30
0 307 1 -x solenoid_valve_1
0 307 1 -x std_compressor_1
0 307 1 -x sv1_hot_gas
0 307 1 -x sv_hot_gas
1 152 1 h inv_frequency_2_rps
1 211 1 - brine_pump_feedback
1 211 1 - fan_1_10_rpm
1 211 1 - fan_1_step
1 211 1 - fan_2_step
1 306 1 - solenoid_valve_10
1 307 1 - solenoid_valve_9
2 151 2 - expansion_valve_2_pls
2 211 1 - fan_2_step
3 151 2 - expansion_valve_1_pls
4 151 2 - expansion_valve_3_pls_30
5 151 2 - expansion_valve_2_pls
6 151 2 - expansion_valve_4_pls
7 151 2 - expansion_valve_3_pls_30
7 300 1 - 4_way_valve_8
7 301 1 - 4_way_valve_7
7 302 1 - 4_way_valve_6
7 303 1 - 4_way_valve_5
7 304 1 - 4_way_valve_4
7 305 1 - 4_way_valve_3
7 306 1 - 4_way_valve_2
7 307 1 - 4_way_valve_1
8 151 2 - expansion_valve_5_pls
8 304 1 - crank_case_heater_4
8 305 1 - crank_case_heater_3
8 306 1 - crank_case_heater_2
8 307 1 - crank_case_heater_1
8 307 1 - crank_case_heater_30
9 151 2 - expansion_valve_4_pls
9 303 1 - solenoid_valve_5
9 304 1 - solenoid_valve_4
9 305 1 - solenoid_valve_3
9 306 1 - lp_bypass_valve_y3s
9 306 1 - sv2_bph
9 307 1 - hot_gas_bypass_valve_y2s
9 307 1 - sv1_hot_gas
10 112 1 i inlet_water_temp_dmw
11 112 1 i outlet_water_heat_exchanger_temp_hydro_split_model_dlwb2
11 307 1 - 4_way_valve
11 307 1 - 4_way_valve_1
12 307 1 - crank_case_heater_30
13 305 1 - ra_sv2_30
13 305 1 - y3s
13 306 1 - drain_pan_heater_30
13 306 1 - lp_bypass_valve_y2s
13 306 1 - sv_drain_pan_heater_30
13 306 1 - y2s
13 307 1 - 4_way_valve_y1s
13 307 1 - dhw_sv1_30
13 307 1 - hot_gas_bypass_valve_y3s
13 307 1 - y1s
"""
