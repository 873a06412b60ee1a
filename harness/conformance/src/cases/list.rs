//! The list of the cases.

/// Passes every case to a macro, as `PLACE MANNER MODULE::NAME;`.
///
/// `loopback` cases need nothing special on the kernel; `network` cases need two namespaces and a cable. A `steady`
/// case has one outcome; one that `races` has several, depending on timing.
macro_rules! each_case {
    ($then:ident) => {
        $then! {
            loopback steady address::a_port_is_taken_once;
            loopback steady address::a_wildcard_takes_the_port_of_every_address;
            loopback steady address::an_address_and_the_wildcard_exclude_each_other;
            loopback steady address::two_addresses_may_share_a_port;
            loopback steady address::a_port_is_free_once_its_listener_is_dropped;
            loopback steady address::a_port_is_free_while_accepted_connections_live_on;
            loopback steady address::a_port_is_free_after_the_server_closed_first;
            loopback steady address::an_address_of_another_host_cannot_be_bound;
            loopback steady address::port_0_is_a_free_port;
            loopback steady address::both_ends_know_each_other;
            network steady address::a_loopback_listener_is_not_heard_from_outside;
            network steady address::a_wildcard_listener_is_heard_on_every_address;
            loopback steady address::a_connect_to_the_wildcard_reaches_the_own_host;

            loopback steady family::a_loopback_connection_of_v6;
            loopback steady family::a_wildcard_of_v6_hears_v6;
            loopback steady family::a_wildcard_of_v6_hears_v4_and_shows_it_mapped;
            loopback steady family::a_wildcard_of_v4_does_not_hear_v6;
            loopback steady family::a_mapped_address_reaches_a_listener_of_v4;
            loopback steady family::a_connect_to_the_wildcard_of_v6_reaches_the_own_host;
            loopback steady family::a_wildcard_of_v6_takes_the_port_of_both_families;
            loopback steady family::a_wildcard_of_v4_leaves_addresses_of_v6;
            loopback steady family::loopback_of_v4_and_of_v6_share_a_port;
            loopback steady family::a_socket_of_one_family_takes_no_address_of_the_other;
            loopback steady family::a_listener_of_v6_tells_its_address;
            loopback steady family::a_udp_socket_of_v6_speaks_to_both_families;
            loopback steady family::a_connect_goes_on_to_the_next_address_after_a_refusal;
            network steady family::two_hosts_talk_by_v6;
            network steady family::a_connect_by_v6_is_refused_where_only_v4_listens;
            network steady family::a_network_of_v6_without_a_route_is_unreachable_at_once;
            network steady family::a_connect_goes_on_to_the_next_address_after_an_error_at_once;
            network steady family::of_several_addresses_the_last_error_is_told;

            loopback steady connect::a_connect_succeeds_before_it_is_accepted;
            loopback steady connect::an_accept_waits_for_a_connect;
            loopback steady connect::without_a_listener_a_connect_is_refused;
            loopback steady connect::a_connect_after_the_listener_was_dropped_is_refused;
            loopback steady connect::accepts_come_in_the_order_of_connects;
            loopback steady connect::every_connect_has_a_port_of_its_own;
            loopback steady connect::bytes_sent_before_the_accept_are_there_after_it;
            loopback steady connect::a_client_that_left_the_queue_is_accepted_and_has_ended;
            loopback steady connect::a_dropped_listener_resets_whoever_waits_in_its_queue;
            loopback steady connect::an_accepted_connection_outlives_its_listener;
            network steady connect::a_connect_across_a_cut_times_out;
            network steady connect::a_connect_during_a_cut_succeeds_after_it;
            network steady connect::a_connect_to_a_crashed_host_times_out;
            network steady connect::an_address_that_nobody_has_is_unreachable;
            network steady connect::a_refusal_that_is_lost_is_a_time_out;
            network steady connect::a_lost_answer_to_a_syn_is_sent_again;
            network steady connect::a_handshake_that_outlives_its_listener_is_refused;
            network steady connect::a_handshake_that_outlives_its_listener_meets_the_next_one;
            network steady connect::a_killed_process_refuses_connects;

            loopback steady backlog::a_backlog_admits_one_more_than_it_says;
            loopback steady backlog::an_accept_lets_in_who_waits;
            loopback steady backlog::who_left_the_queue_still_takes_its_place;
            loopback steady backlog::what_is_in_the_queue_may_talk;
            network steady backlog::a_full_backlog_times_a_connect_out;
            network steady backlog::a_burst_believes_that_it_is_connected;
            network steady backlog::whoever_came_too_early_is_heard_once_there_is_room;

            loopback steady socket::a_bound_socket_connects_from_its_port;
            loopback steady socket::a_bound_port_connects_once_at_a_time;
            loopback steady socket::a_port_that_waits_for_stray_segments_is_taken;
            loopback steady socket::who_closes_last_leaves_no_port_behind;
            loopback steady socket::who_shuts_down_first_waits_though_the_other_closes_first;
            loopback steady socket::who_shuts_down_and_closes_first_waits;
            loopback steady socket::who_answers_a_shutdown_leaves_no_port_behind;
            loopback steady socket::a_connection_that_is_over_waits_while_its_socket_is_open;
            loopback steady socket::an_unbound_socket_listens_on_a_free_port;
            loopback steady socket::linger_0_resets_the_peer;
            loopback steady socket::linger_0_throws_away_what_was_not_sent;
            loopback steady socket::a_reset_in_the_queue_is_met_after_the_accept;
            loopback steady socket::options_are_as_they_were_set;
            network steady socket::keep_alive_finds_a_crashed_host;
            network steady socket::keep_alive_finds_a_rebooted_host;

            loopback steady bytes::bytes_arrive_whole_and_in_order;
            loopback steady bytes::a_read_waits_for_bytes;
            loopback steady bytes::a_read_takes_what_is_there_over_the_edges_of_writes;
            loopback steady bytes::a_small_buffer_leaves_the_rest_for_the_next_read;
            loopback steady bytes::a_read_into_nothing_reads_nothing;
            loopback steady bytes::a_write_of_nothing_writes_nothing;
            loopback steady bytes::a_peek_leaves_what_it_sees;
            loopback steady bytes::a_peek_waits_for_bytes;
            loopback steady bytes::trying_to_read_nothing_would_block;
            loopback steady bytes::trying_to_read_at_the_end_reads_the_end;
            loopback steady bytes::both_ways_do_not_mix;
            loopback steady bytes::a_writer_waits_for_a_reader_that_does_not_read;
            loopback steady bytes::trying_to_write_into_full_buffers_would_block;
            loopback steady bytes::a_writer_goes_on_when_the_reader_reads;

            loopback steady ready::a_stream_is_readable_once_bytes_are_there;
            loopback steady ready::a_new_stream_is_writable;
            loopback steady ready::a_stream_with_full_buffers_is_not_writable;
            loopback steady ready::readiness_is_taken_back_by_what_would_block;
            loopback steady ready::the_end_makes_a_stream_readable;
            loopback steady ready::a_reset_makes_a_stream_ready_for_both;

            loopback steady halves::halves_read_and_write_side_by_side;
            loopback steady halves::a_dropped_writing_half_ends_the_stream;
            loopback steady halves::a_dropped_reading_half_ends_nothing;
            loopback steady halves::reunited_halves_end_nothing;
            loopback steady halves::halves_of_two_streams_do_not_reunite;

            loopback steady close::a_fin_is_read_as_the_end_again_and_again;
            loopback steady close::what_was_written_before_the_close_is_read_before_the_end;
            loopback steady close::a_half_closed_connection_still_answers;
            loopback steady close::a_write_after_the_shutdown_breaks_the_pipe;
            loopback steady close::a_second_shutdown_is_as_the_first;
            loopback steady close::a_shutdown_after_both_ends_were_closed;
            loopback steady close::close_with_unread_data_resets_the_peer;
            loopback steady close::a_reset_leaves_what_arrived_before_it;
            loopback steady close::a_write_meets_the_reset_once;
            loopback steady close::a_write_to_a_closed_peer_succeeds_once;
            loopback steady close::after_the_end_a_reset_is_not_read;
            loopback steady close::a_waiting_reader_is_woken_by_the_end;
            loopback steady close::a_waiting_reader_is_woken_by_a_reset;
            loopback steady close::a_waiting_writer_is_woken_by_a_reset;
            loopback steady close::a_large_write_arrives_though_it_is_dropped_at_once;
            loopback steady close::both_may_close_at_once;
            loopback steady close::after_a_reset_the_peer_is_not_known;
            loopback steady close::a_shutdown_after_a_reset_fails;
            network steady close::a_killed_process_ends_its_connections;
            network steady close::a_killed_process_with_unread_data_resets_them;

            network steady fault::what_is_written_during_a_cut_arrives_after_it;
            network steady fault::a_cut_without_traffic_is_not_noticed;
            network steady fault::a_cut_longer_than_all_retransmissions_times_out;
            network steady fault::a_close_during_a_cut_is_read_after_it;
            network steady fault::a_reset_that_is_lost_is_not_repeated_until_somebody_asks;
            network steady fault::a_one_way_cut_lets_the_other_way_pass;
            network steady fault::a_lost_acknowledgement_times_the_writer_out;
            network steady fault::a_reader_does_not_notice_that_acknowledgements_are_lost;
            network steady fault::a_writer_of_which_every_acknowledgement_is_lost_times_out;
            network steady fault::an_answer_brings_the_acknowledgement_that_was_lost;
            network steady fault::a_crashed_host_is_silent;
            network steady fault::a_write_to_a_crashed_host_times_out;
            network steady fault::a_rebooted_host_resets_what_it_does_not_know;
            network steady fault::a_rebooted_host_that_nobody_asks_says_nothing;
            network steady fault::a_closed_window_opens_after_a_cut;

            network steady reused::a_connect_from_the_port_of_a_lost_connection_resets_that;
            network steady reused::what_arrived_on_a_lost_connection_is_read_before_its_reset;
            network steady reused::a_lost_connection_whose_end_was_read_is_broken_by_the_next;
            network steady reused::a_lost_connection_that_was_shut_down_is_reset_by_the_next;
            network steady reused::a_lost_connection_that_was_closed_gives_way_to_the_next;
            network steady reused::a_lost_connection_is_reset_though_nobody_listens_any_more;
            network steady reused::a_connection_that_is_over_gives_way_at_once;
            network steady reused::a_handshake_that_was_given_up_gives_way_to_the_next;
            network steady reused::a_waiting_reader_is_woken_by_the_connect_that_resets_it;

            network steady impaired::bytes_arrive_whole_and_in_order_though_packets_are_lost;
            network steady impaired::bytes_arrive_once_though_packets_arrive_twice;
            network steady impaired::bytes_arrive_in_order_though_packets_overtake_each_other;
            network steady impaired::bytes_arrive_though_packets_are_late;
            network steady impaired::a_lost_packet_is_sent_again_when_those_behind_it_arrive;
            network steady impaired::a_lost_packet_with_none_behind_it_is_sent_again_by_the_timer;
            network steady impaired::connects_succeed_though_packets_are_lost;

            loopback steady udp::datagrams_keep_their_edges;
            loopback steady udp::an_empty_datagram_arrives;
            loopback steady udp::a_small_buffer_cuts_a_datagram_off;
            loopback steady udp::a_datagram_that_is_too_large_is_refused;
            loopback steady udp::an_answer_goes_to_where_the_question_came_from;
            loopback steady udp::a_datagram_to_nobody_is_lost;
            loopback steady udp::a_connected_socket_is_told_that_nobody_is_there;
            loopback steady udp::a_connected_socket_hears_its_peer_only;
            loopback steady udp::a_socket_without_a_peer_cannot_just_send;
            loopback steady udp::a_udp_port_is_taken_once;
            loopback steady udp::trying_to_receive_nothing_would_block;
            loopback steady udp::datagrams_that_nobody_reads_are_dropped_at_last;
            network steady udp::a_datagram_sent_during_a_cut_is_lost;

            loopback steady unix::a_unix_connect_succeeds_before_it_is_accepted;
            loopback steady unix::a_unix_accept_waits_for_a_connect;
            loopback steady unix::unix_streams_carry_bytes_both_ways;
            loopback steady unix::bytes_sent_before_the_unix_accept_are_there_after_it;
            loopback steady unix::unix_accepts_come_in_the_order_of_connects;
            loopback steady unix::a_full_unix_backlog_fails_a_connect_at_once;
            loopback steady unix::who_left_a_unix_queue_still_takes_its_place;
            loopback steady unix::a_dropped_unix_listener_resets_whoever_waits_in_its_queue;
            loopback steady unix::an_accepted_unix_stream_outlives_its_listener;
            loopback steady unix::a_dropped_unix_stream_is_the_end;
            loopback steady unix::bytes_that_nobody_read_reset_a_unix_stream;
            loopback steady unix::a_write_to_a_reset_unix_stream_is_a_broken_pipe;
            loopback steady unix::a_unix_stream_that_is_shut_down_still_reads;
            loopback steady unix::a_waiting_unix_reader_sees_the_end;
            loopback steady unix::a_waiting_unix_writer_sees_the_end;
            loopback steady unix::a_dropped_unix_write_half_shuts_down;
            loopback steady unix::a_forgotten_unix_write_half_stays_open;
            loopback steady unix::unix_halves_come_together_again;
            loopback steady unix::a_large_unix_write_arrives_whole;
            loopback steady unix::a_unix_buffer_takes_so_many_bytes;
            loopback steady unix::a_full_unix_buffer_makes_a_writer_wait;
            loopback steady unix::a_unix_writer_goes_on_once_three_quarters_are_free;
            loopback steady unix::a_unix_pair_has_no_names;
            loopback steady unix::unix_peers_know_who_the_other_is;
            loopback steady unix::unix_streams_say_what_they_are_ready_for;
            loopback steady unix::trying_to_read_nothing_from_a_unix_stream_would_block;

            loopback steady unix_names::a_path_is_taken_once;
            loopback steady unix_names::a_path_outlives_its_listener;
            loopback steady unix_names::a_path_that_nobody_bound_is_not_found;
            loopback steady unix_names::a_folder_that_is_missing_is_not_found;
            loopback steady unix_names::a_file_that_is_no_folder_leads_nowhere;
            loopback steady unix_names::a_file_that_is_no_socket_is_in_the_way;
            loopback steady unix_names::one_folder_has_several_names;
            loopback steady unix_names::a_path_shows_as_a_socket;
            loopback steady unix_names::a_path_that_was_removed_leads_to_the_next_listener;
            loopback steady unix_names::an_abstract_name_goes_with_its_listener;
            loopback steady unix_names::a_socket_without_a_name_is_given_one;
            loopback steady unix_names::a_path_that_no_address_holds_is_refused;
            loopback steady unix_names::addresses_are_those_that_were_bound;
            loopback steady unix_names::a_client_may_have_an_address;
            loopback steady unix_names::a_socket_is_bound_once_before_it_listens;
            loopback steady unix_names::a_bound_socket_that_does_not_listen_refuses;

            loopback steady unix_datagrams::unix_datagrams_keep_their_edges;
            loopback steady unix_datagrams::a_small_buffer_cuts_a_unix_datagram_off;
            loopback steady unix_datagrams::a_unix_datagram_says_where_it_came_from;
            loopback steady unix_datagrams::a_unix_datagram_needs_somebody_to_receive_it;
            loopback steady unix_datagrams::streams_and_datagrams_of_unix_sockets_do_not_meet;
            loopback steady unix_datagrams::a_connected_unix_socket_hears_its_peer_only;
            loopback steady unix_datagrams::a_unix_queue_takes_so_many_datagrams;
            loopback steady unix_datagrams::a_unix_datagram_that_is_too_large_is_refused;
            loopback steady unix_datagrams::a_unix_sender_waits_for_room;
            loopback steady unix_datagrams::a_unix_sender_that_is_not_connected_sends_once_there_is_room;
            loopback steady unix_datagrams::a_unix_sender_learns_that_its_peer_is_gone;
            loopback steady unix_datagrams::a_unix_receiver_does_not_learn_that_its_peer_is_gone;
            loopback steady unix_datagrams::a_unix_sender_that_waits_learns_that_the_receiver_is_gone;
            loopback steady unix_datagrams::a_unix_socket_for_datagrams_is_shut_down;
            loopback steady unix_datagrams::a_unix_socket_becomes_one_for_datagrams;
            loopback steady unix_datagrams::an_abstract_name_is_for_unix_datagrams_by_way_of_a_socket;
            loopback steady unix_datagrams::trying_to_receive_no_unix_datagram_would_block;

            loopback races race::a_close_races_with_the_peers_bytes;
            loopback races race::a_write_races_with_the_peers_reset;
            loopback races race::a_write_races_with_the_peers_close;
            loopback races race::a_connect_races_with_the_listeners_end;
            loopback races race::two_connects_race_for_the_first_accept;
        }
    };
}
pub(crate) use each_case;
