"""Rows of registers; made by tools/x10a_models.py, see x10a.table."""

ROWS = b"""
=60
0 304 1 -x data_enable_disable_60
0 307 1 -x data_enable_disable_60
1 152 1 #x indoor_unit_address_60
2 300 1 - freeze_protection_for_water_piping
2 301 1 - silent_mode
2 302 1 - freeze_protection
2 303 1 - ext_thermostat_on_off
2 303 1 - thermostat_on_off
2 315 1 - indoor_mode i_u_operation_mode indoor_operation_mode
3 204 1 - indoor_error_code error_code
4 152 1 # error_detailed_code
4 152 2 # indoor_unit_code
4 314 2 - indoor_unit_code
5 203 1 - error_type_60
6 219 1 # i_u_capacity_code
6 219 1 - indoor_unit_capacity
7 105 2 t dhw_setpoint r_c_setpoint
9 105 2 t flow_setpoint h_p_outlet_setpoint lw_setpoint_main
11 300 1 - bivalent_operation
11 301 1 - smartgridcontact1
11 301 1 -x unused_60_11_301 not_in_use
11 302 1 - smartgridcontact2
11 302 1 -x unused_60_11_302 not_in_use
11 303 1 - solar_input
11 304 1 - benefit_kwh_rate_power_supply
11 304 1 - hp_tariff_input
11 305 1 - clixon_bsh
11 305 1 - thermal_protector_bsh
11 306 1 - clixon_buh
11 306 1 - thermal_protector_buh
11 306 1 - thermal_protector_q1l_buh
11 307 1 - flow_switch
11 307 1 - water_flow_switch
12 300 1 - solar_output_signal
12 300 1 - solar_pump_operation
12 301 1 - pump pump_output water_pump_operation
12 302 1 - bottom_plate_heater
12 302 1 - bph
12 302 1 - floor_loop_shut_off_valve
12 303 1 - backup_heater_2 buh2 buh_step2
12 304 1 - backup_heater_1 buh1 buh_step1
12 305 1 - booster_heater bsh
12 306 1 - valve_dhw 3way_valve 4way_valve_space_dhw
12 307 1 - 2way_valve
12 307 1 - 3way_valve_cool_heat
13 152 1 # indoor_option_code
13 212 1 # indoor_option_code
14 215 1 -x i_u_software_id_yy
14 314 2 - indoor_software_version
15 212 1 # indoor_eeprom_version
15 215 1 -x i_u_software_id_xx
16 152 1 # i_u_eeprom_ver
=61
0 307 1 -x data_enable_disable_61
1 152 1 #x indoor_unit_address_61
2 105 2 i flow_temperature hpsu_tv_inflow_temp_r1t leaving_water_temp_before_buh_r1t \
outlet_phe_r1t outlet_water_heat_exch_temp_r1t
4 105 2 i flow_temperature_after_heater hpsu_tvbh_inflow_temp_after_buffer_buh_r2t \
leaving_water_temp_after_buh_r2t outlet_buh_r2t outlet_water_buh_temp_r2t
6 105 2 t liquid_temperature liquid_temperature_r3t refrig_temp_liquid_side_r3t
8 105 2 i return_temperature hpsu_tr_return_temp_r4t inlet_temperature_r4t inlet_water_temp_r4t
10 105 2 i dhw_temperature dhw_tank_temp_r5t dhw_temperature_r5t
12 105 2 i room_temperature indoor_ambient_temp_r1t remocon_thermistor rt_temp
13 105 2 i ext_indoor_ambient_sensor_r6t
14 105 2 i ext_indoor_ambient_sensor_r6t
14 105 2 t ext_outdoor_ambient_sensor_r6t
14 105 2 t outdoor_ambient_or_ext_sensor
=62
0 307 1 -x data_enable_disable_62
1 152 1 #x indoor_unit_address_62
2 300 1 - emergency_indoor_active_not_active
2 301 1 -x unused_62_2_301 not_in_use
2 302 1 - system_off
2 303 1 - space_heating_operation_on_off
2 304 1 - powerful_dhw_operation_on_off
2 305 1 - storage_comfort_on_off
2 306 1 - storage_eco_on_off
2 307 1 - reheat_on_off
3 105 2 t lw_setpoint_add
5 105 2 t rt_setpoint
7 300 1 - pwr_consumption_limit_1
7 301 1 - pwr_consumption_limit_2
7 302 1 - pwr_consumption_limit_3
7 303 1 - pwr_consumption_limit_4
7 304 1 - main_rt_heating
7 305 1 - main_rt_cooling
7 306 1 - add_ext_rt_input_heat
7 307 1 - add_ext_rt_input_cool
8 300 1 - space_c_h_op_or_bph
8 300 1 - space_h_operation_output
8 301 1 - alarm_output
8 302 1 - circulation_pump_operation
8 303 1 - mode_conflict
8 303 1 - tank_preheat_on_off
8 303 1 -x unused_62_8_303 not_in_use
8 304 1 - dhw_priority_request
8 304 1 - phe_heater_62
8 304 1 -x unused_62_8_304 not_in_use
8 305 1 - powerful_demand
8 305 1 - pump_feedback_bit5
8 305 1 -x unused_62_8_305 not_in_use
8 306 1 - defrost_prohibition_on_off
8 306 1 - pump_feedback_bit6
8 306 1 -x unused_62_8_306 not_in_use
8 307 1 - pump_feedback_bit7
8 307 1 -x unused_62_8_307 none
8 336 1 - pump_pwm_fdbk
9 105 2 f flow flow_sensor_l_min
11 105 1 p water_pressure
12 152 1 c pump_signal water_pump_signal
13 152 1 - 3_way_valve_mixing_1
13 152 1 -x future_3_way_valve_mixing_1
14 152 1 - 3_way_valve_mixing_2
14 152 1 -x future_3_way_valve_mixing_2
15 105 2 p refrigerant_pressure_sensor
15 152 1 -x unused_62_15_152 not_in_use
15 152 2 p refrigerant_pressure_sensor
15 405 2 t pressure_sensor_t_62
16 300 1 -x unused_62_16_300 not_in_use
16 301 1 -x unused_62_16_301 not_in_use
16 302 1 -x unused_62_16_302 not_in_use
16 303 1 -x unused_62_16_303 not_in_use
16 304 1 -x unused_62_16_304 not_in_use
16 305 1 -x unused_62_16_305 not_in_use
16 306 1 -x unused_62_16_306 not_in_use
16 307 1 -x unused_62_16_307 not_in_use
"""
