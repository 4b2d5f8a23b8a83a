"""Rows of registers; made by tools/x10a_models.py, see x10a.table."""

ROWS = b"""
=50
0 103 2 g hp_sensor_kgcm2
2 103 2 g lp_sensor_kgcm2
=53
0 152 2 - ev_pls
0 200 1 - circulation_pump
2 164 1 h outdoor_fan_upper_rps
3 164 1 h outdoor_fan_lower_rps
3 200 1 - external_heater
4 200 1 - inv_comp_frequency_hz
5 200 1 - comp_preheat
5 200 1 - priority_to_domestic_water
6 200 1 - 52c_output
6 200 1 - burner_inhibit_from_solaris
7 200 1 - 20s_4_way_output
8 200 1 - 20r_sv_output
10 200 1 - crankcase_heater
11 200 1 - ener_cut_output
=54
0 103 2 t indoor_suction_air_temp_c
0 153 2 t liquid_temperature refrig_temp_liquid_side_c
2 103 2 t indoor_heat_exchanger_temp_c
2 153 2 i return_temperature inlet_water_temp_c
4 103 2 t outdoor_temperature outdoor_air_temp_c
4 153 2 i flow_temperature outlet_water_temp_c
6 103 2 t outdoor_heat_exchanger_temp_c
6 153 2 t d_c
8 109 2 t discharge_temperature discharge_pipe_temp_c
8 153 2 i dhw_temperature dhw_tank_temp_c
10 103 2 t f_c
10 103 2 t fin_temp_c
12 101 1 k delta_tr_deg
12 312 1 - delta_tr_deg
13 151 1 t r_c_setpoint_c
=55
0 201 1 - operation_mode
1 204 1 - error_code
2 204 1 - thermo_off_error
3 204 1 - warning_code
4 204 1 - caution_code
=56
0 103 2 - unnamed
"""
