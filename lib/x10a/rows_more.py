"""Rows of registers; made by tools/x10a_models.py, see x10a.table."""

ROWS = b"""
=63
0 307 1 -x data_enable_disable_63
1 152 1 #x indoor_unit_address_63
2 215 1 -x i_u_eeprom_3rd_digit
3 215 1 -x i_u_eeprom_4th_5th_digit
4 215 1 -x i_u_eeprom_6th_7th_digit
5 215 1 -x i_u_eeprom_8th_9th_digit
6 215 1 -x i_u_eeprom_11th_digit
7 214 1 -x i_u_eeprom_12th_digit_rev
7 215 1 -x i_u_eeprom_12th_digit_rev
8 105 2 i hpsu_mixed_leaving_water_temperature_after_the_tank_r7t_dlwa2
8 105 2 i mixed_water_temp_r7t
8 215 1 -x unused_63_8_215 not_in_use
9 215 1 -x unused_63_9_215 not_in_use
10 101 1 - hpsu_tank_valve_position
10 215 1 -x unused_63_10_215 not_in_use
11 101 1 - hpsu_bypass_valve_position
11 215 1 -x unused_63_11_215 not_in_use
11 301 1 - rt_space_thermo_on_off_bit1
12 215 1 -x unused_63_12_215 not_in_use
12 300 1 - rt_space_thermo_on_off_bit0
12 301 1 - rt_space_thermo_on_off_bit1
12 302 1 - hpsu_tank_heating_bivalent_primary_heat_source
12 303 1 - hpsu_tank_heating_bivalent_output_signal
12 304 1 - hpsu_tank_dhw_bivalent_primary_heat_source
12 305 1 - hpsu_tank_dhw_bivalent_output_signal
12 317 1 # rt_control_state
12 323 1 # hpsu_tank_state
13 152 1 - buh_output_capacity
13 311 1 - buh_output_capacity
14 161 1 a current_measured_by_ct_sensor_of_l1
15 161 1 a current_measured_by_ct_sensor_of_l2
16 161 1 a current_measured_by_ct_sensor_of_l3
16 307 1 - hp_forced_fg
16 307 1 - hp_is_operation_forced_off_by_installer
=64
0 307 1 -x data_enable_disable_64
1 152 1 #x indoor_unit_address_64
2 300 1 - bsh_allowance_multi
2 300 1 - hybrid_dhw_operation_mode
2 301 1 - bypass_valve_output
2 301 1 - main_pump_64_2
2 302 1 - add_pump_64_2
2 302 1 - boiler_dhw_demand
2 303 1 - boiler_operation_demand
2 303 1 - mode_conflict_dhw_in_standby
2 304 1 - dhw_priority_request
2 305 1 - powerful_demand
2 306 1 - defrost_64
2 307 1 - dhw_in_standby_due_to_defrost_in_odu
2 316 1 - hybrid_op_mode
3 105 2 - be_cop
5 105 2 t hybrid_heating_target_temp
7 105 2 t boiler_heating_target_temp
9 300 1 - main_pump_64_9
9 301 1 - add_pump_64_9
9 301 1 - main_pump_64_9
9 302 1 - add_pump_64_9
10 105 2 i mixed_water_temp
10 118 2 i mixed_water_temp
10 118 2 i mixed_water_temp_r7t
12 105 2 i 2nd_domestic_hot_water_temperature
14 152 1 k target_delta_t_heating
15 152 1 k target_delta_t_cooling
=65
0 152 1 #x indoor_unit_address_65
0 307 1 -x data_enable_disable_65
1 152 1 #x indoor_unit_address_65
1 152 2 #x indoor_unit_address_65
2 105 2 i outlet_water_heat_exchanger_temp_hydro_split_model_dlwb2
4 105 2 i ekmik_bizone_kit_mixed_leaving_water_temperature_r1t
6 101 1 - ekmik_bizone_kit_mix_valve_position_m1s
6 152 1 - ekmik_bizone_kit_mix_valve_position_m1s
=a0
0 119 2 t suction_temp
2 119 2 t outdoor_heat_exchanger_temp
4 119 2 t liquid_pipe_temp
6 119 2 p pressure_a0
8 151 2 - expansion_valve_3_pls_a0
10 152 1 # o_u_mpu_id_a0_10
11 152 1 # o_u_mpu_id_a0_11
12 300 1 - 52c_output
12 301 1 - 4_way_valve_y1s
12 302 1 - dhw_sv1_a0
12 302 1 - solenoid_valve_1
12 303 1 - drain_pan_heater_a0
12 303 1 - solenoid_valve_2
12 303 1 - sv_drain_pan_heater_a0
12 304 1 - ra_sv2_a0
12 304 1 - solenoid_valve_3
12 305 1 - crank_case_heater_a0
12 306 1 - safeguard_operation
12 307 1 - hps_operation
13 300 1 - powerful_bit_mt_setting_bit
13 301 1 - indoor_unit_blowout_50_c_flag
13 302 1 - during_emergency_operation
13 303 1 - discharge_temp_drop_a0
14 105 2 t compressor_port_temperature
=a1
0 119 2 i raw_data_water_heat_exchanger_inlet_temp
2 119 2 i raw_data_water_heat_exchanger_outlet_temp
4 300 1 - phe_heater_a1
4 301 1 - bottom_plate_heater
4 302 1 - liquid_inj_solenoid_valve_y4s
5 114 2 t target_discharge_temp
7 114 2 t target_port_temperature
9 300 1 - alterma_lt_setting
9 301 1 - hydro_split_setting
9 302 1 - gshp_setting
9 303 1 - mt_setting
9 304 1 - minichiller_setting
9 305 1 - monobloc_setting
"""
