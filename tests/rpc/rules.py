"""Rule -> tests.

The 35 rules that the original's tests prove (arpc.md, section 15), those they leave out, everything
that the original gets wrong ([BUG] in arpc.md and relay.md), and the wire's own rules (WIR). A test
is `file::name` below tests/; `test_rules.py` sees that each is there.
"""

from __future__ import annotations

__all__ = ["PROVEN", "RELAY_BUGS", "RPC_BUGS", "SKIPPED_UPSTREAM", "WIRE"]

_NET = "rpc/test_network_machine.py::test_"
_CLIENT = "rpc/test_client.py::test_"
_SERVER = "rpc/test_server.py::test_"
_MUX = "rpc/test_mux.py::test_"
_MODES = "rpc/test_modes.py::test_"
_MEANT = "rpc/test_intended.py::test_"
_TRAFFIC = "rpc/test_traffic.py::test_"
_PIPES = "rpc/test_remote_pipes.py::test_"
_TUNNELS = "relay/test_tunnels.py::test_"
_SHARED = "relay/test_shared.py::test_"
_RELAY = "relay/test_relay.py::test_"
_COUNTERS = "relay/test_counters.py::test_"
_COLLECTOR = "dump/test_collector.py::test_"
_INTAKE = "dump/test_intake.py::test_"

PROVEN: dict[int, tuple[str, ...]] = {
    1: (_NET + "1_a_remote_add_is_visible_on_both_sides",),
    2: (_NET + "2_several_states_at_once_equal_one_by_one",),
    3: (_NET + "3_waits_resolve_with_the_reply_and_no_push_is_needed",),
    4: (_NET + "4_501_adds_one_by_one",),
    5: (_NET + "5_w_2_notes_run_in_order_and_sync_comes_after_them",),
    6: (_NET + "6_a_push_interval_next_to_nothing_is_instant",),
    7: (_NET + "7_a_hundred_states_one_call_each",),
    8: (_NET + "8_big_ticks_travel", _TRAFFIC + "8_big_ticks_cost_as_much_as_small_ones"),
    9: (
        _NET + "9_an_acknowledged_add_costs_less_than_thirty_bytes",
        _TRAFFIC + "9_no_session_is_dearer_than_the_originals",
    ),
    10: (_CLIENT + "rule_10_calls_wait_for_the_connection_to_come_back",),
    11: (_CLIENT + "rule_11_m_13_a_slow_handler_runs_once_however_long_it_takes",),
    12: (_CLIENT + "12_a_server_that_comes_later",),
    13: (_SERVER + "sv_1_a_real_port_and_13_a_listener_closed_from_outside",),
    14: (_NET + "14_payload_and_names_arrive_unchanged",),
    15: (_MUX + "x_7_three_clients_see_what_one_of_them_does",),
    16: (_NET + "16_partial_sync_tracks_allowed_without_skipped",),
    17: (_NET + "17_required_states_are_inferred_with_a_schema",),
    18: (_NET + "18_without_schema_only_tracked_states_exist",),
    19: (_NET + "19_without_schema_all_states_nothing_is_inferred",),
    20: (_NET + "20_per_mutation_mode_shows_every_transition",),
    21: (_NET + "21_a_set_of_states_that_remove_each_other_is_canceled",),
    22: (_MEANT + "22_states_that_remove_each_other_switch_both_ways",),
    23: (_MEANT + "23_an_added_state_is_left_out_if_it_is_removed_at_the_same_time",),
    24: (_MEANT + "24_what_lacks_a_required_state_is_not_activated",),
    25: (_MEANT + "25_auto_states_follow_within_the_call",),
    26: (_NET + "26_ticks",),
    27: (_NET + "27_several_waiters_resolve_and_what_is_true_resolves_at_once",),
    28: (_NET + "28_when_time_waits_for_all",),
    29: (_NET + "29_when_query_is_asked_on_every_update",),
    30: (_NET + "30_l_2_when_queue",),
    31: (_NET + "31_clock_of_all_and_of_some",),
    32: (_MEANT + "32_clocks_and_times_differ_after_a_change",),
    33: (_NET + "33_nested_mutations_settle_before_the_reply",),
    34: (_PIPES + "34_bind_any_from_a_mirror_to_a_local_machine",),
    35: (_NET + "35_l_6_text_equals_the_sources",),
}
"""Section 15, by number."""

SKIPPED_UPSTREAM: dict[str, tuple[str, ...]] = {
    "clock push": (_SERVER + "p_2_the_push_interval_throttles_and_can_be_changed",),
    "shallow": (_NET + "d_4_k_5_shallow_ticks_have_the_right_parity",),
    "RetryingConn": (
        _CLIENT + "cl_5_without_a_connection_for_too_long_it_gives_up",
        _CLIENT + "wir_31_the_first_dial_is_made_at_once_and_the_waits_grow",
    ),
    "export": (_SERVER + "l_5_servers_can_be_chained_on_mirrors",),
    "schema change": (_NET + "c_1_c_2_a_new_schema_reaches_the_mirror_with_its_waits",),
    "full sync under partial": (
        _MODES + "f_3_a_full_clock_is_filtered_as_the_first_one_was",
        _MODES + "d_5_every_combination_follows_the_source",
    ),
    "schema filtering": (
        _MODES + "a_schema_is_never_filtered",
        _MODES + "without_a_schema_none_is_sent",
    ),
    "when_args": (_NET + "when_args_over_rpc",),
    "chunked payloads": (_MEANT + "large_payloads_and_arguments_travel_in_pieces_and_whole",),
    "ACL": (
        _CLIENT + "permissions_refuse_single_calls",
        _CLIENT + "e_3_an_id_that_is_not_let_in_is_terminal",
    ),
    "traffic": (_TRAFFIC + "both_ends_count_the_same_bytes",),
}
"""What the original's tests leave out, and what it lacks."""

RPC_BUGS: dict[str, tuple[str, ...]] = {
    "Sync": (_MODES + "the_machine_tick_travels_with_full_clocks",),
    "W1": (_MEANT + "w_1_a_clock_that_is_wrong_by_a_power_of_two_is_found",),
    "W2": (_NET + "5_w_2_notes_run_in_order_and_sync_comes_after_them",),
    "W4": (_MEANT + "w_4_k_3_a_wrong_push_is_repaired_without_waiting_for_a_call",),
    "H14": (
        _SERVER + "h_14_another_client_is_refused_until_the_first_is_gone",
        _SERVER + "wir_12_the_same_incarnation_takes_over_at_once",
    ),
    "H15": (_MODES + "h_15_options_of_one_client_do_not_stick_to_the_next",),
    "P4": (_NET + "p_4_a_canceled_mutation_moves_the_queue_tick_of_the_mirror",),
    "P5": (_MEANT + "p_5_pushes_and_replies_keep_their_order_under_a_storm",),
    "K3": (_MEANT + "w_4_k_3_a_wrong_push_is_repaired_without_waiting_for_a_call",),
    "K5": (_NET + "d_4_k_5_shallow_ticks_have_the_right_parity",),
    "F3": (_MODES + "f_3_a_full_clock_is_filtered_as_the_first_one_was",),
    "C2": (
        _NET + "c_1_c_2_a_new_schema_reaches_the_mirror_with_its_waits",
        _MODES + "c_2_what_is_tracked_is_worked_out_anew_after_a_schema_change",
    ),
    "M10": (_NET + "m_10_the_origin_reaches_the_source_for_every_kind_of_mutation",),
    "M11": (_NET + "m_11_without_schema_indexes_mean_the_tracked_states",),
    "M12": ("rpc/test_questions.py::test_can_asks_relations_and_handlers_and_changes_nothing",),
    "M13": (_CLIENT + "rule_11_m_13_a_slow_handler_runs_once_however_long_it_takes",),
    "when_args": (_NET + "when_args_over_rpc",),
    "L5": (
        _NET + "l_5_handlers_read_the_new_clock_and_can_be_detached_by_id",
        _SERVER + "l_5_servers_can_be_chained_on_mirrors",
    ),
    "CL6": (_MEANT + "cl_6_a_note_made_without_a_connection_is_sent_and_is_no_error",),
    "CL9": (_CLIENT + "cl_9_stopping_what_never_started_is_fine",),
    "SV3": (_MEANT + "sv_3_an_injected_connection_that_ends_starts_no_hot_loop",),
    "SV8": (_MEANT + "sv_8_a_second_websocket_does_not_throw_out_the_first",),
    "X4": (_MUX + "x_4_has_clients_can_not_be_taken_away_while_there_are_some",),
    "X6": (_MUX + "x_6_a_lost_listener_is_bound_again_and_does_not_spin",),
    "E2": (_MEANT + "e_2_leaving_makes_no_network_errors",),
    "RP3": (
        "rpc/test_repl.py::"
        "test_rp_3_through_a_tunnel_it_looks_like_a_single_server_until_somebody_comes",
        "rpc/test_repl.py::test_rp_1_rp_2_rp_4_the_file_leads_to_the_machine_and_goes_with_the_mux",
    ),
}
"""Every [BUG] of arpc.md, by the rule it stands in."""

RELAY_BUGS: dict[str, tuple[str, ...]] = {
    "C3 names": (_RELAY + "taken_port_is_told_before_anything_else",),
    "C3 hangs": (_RELAY + "rel_c3_taken_port_leaves_an_error_and_no_start",),
    "R3": (
        _RELAY + "rel_r3_machine_is_ready_once_the_relay_serves",
        _RELAY + "relay_serves_right_after_start_and_leaves_signals_alone",
    ),
    "T2 counts": (_COUNTERS + "rel_t2_d2_connections_of_matchers_are_counted",),
    "T2 falls through": (_TUNNELS + "rel_10_failing_matcher_closes_the_websocket",),
    "T5 port": (_TUNNELS + "rel_4_address_file_names_the_real_port",),
    "T5 order": ("relay/test_addrfile.py::test_rel_t5_file_is_written_whole_and_removed",),
    "T6 file": (_SHARED + "rel_t5_the_relays_end_removes_the_file_at_once",),
    "T6 registry": (_COUNTERS + "rel_t6_the_next_tunnel_finds_no_trace_of_the_one_before",),
    "W2": (_TUNNELS + "rel_7_taken_address_closes_the_websocket",),
    "W4": (_TUNNELS + "rel_5_tcp_peer_closes_and_the_websocket_follows",),
    "W5": (_TUNNELS + "rel_6_websocket_closes_and_the_tcp_peer_sees_the_end",),
    "D2 falls through": (_COUNTERS + "rel_t2_d2_connections_of_matchers_are_counted",),
    "D2 counts": (_COUNTERS + "rel_t2_d2_connections_of_matchers_are_counted",),
    "D4 leaks": (
        _COUNTERS + "rel_d4_a_clean_end_of_either_side_ends_a_dial_with_all_it_has",
        _TUNNELS + "rel_8_dial_connects_and_each_side_can_end_it",
    ),
    "D4 log": (_TUNNELS + "rel_8_failed_dial_closes_the_websocket",),
    "G4": (_INTAKE + "two_pages_that_think_they_are_the_same_are_both_recorded",),
    "G8": (
        _COLLECTOR + "the_end_writes_and_acknowledges_what_was_taken",
        _COLLECTOR + "what_is_acknowledged_is_on_disk",
    ),
    "G9": (_COLLECTOR + "the_real_sender_is_understood",),
}
"""Every [BUG] of relay.md, by the rule it stands in."""

WIRE = range(1, 34)
"""WIR rules: their tests bear the number, `test_wir_N_`; `wire/test_rules.py` says in which module
the main ones are."""
