<?php
/**
 * Plugin Name: sangtrang companion
 * Description: Lets posts and files be known by their key on the old site, and leads old addresses to them. Must-use plugin: put it into wp-content/mu-plugins/.
 * Version: 1
 * License: MIT OR Apache-2.0
 */
if (!defined('ABSPATH')) { exit; }

const SANGTRANG_VERSION = 1;

/** Types that have a REST interface. */
function sangtrang_types() {
	return array_diff(get_post_types(['show_in_rest' => true]), ['wp_block', 'wp_template', 'wp_template_part', 'wp_navigation', 'wp_global_styles', 'nav_menu_item']);
}

add_action('init', function () {
	$may = function () { return current_user_can('edit_posts'); };
	foreach (sangtrang_types() as $type) {
		if ($type !== 'attachment') { add_post_type_support($type, 'custom-fields'); }
		foreach (['sangtrang_key', 'sangtrang_hash', 'sangtrang_url', 'sangtrang_byline'] as $key) {
			register_post_meta($type, $key, ['single' => true, 'type' => 'string', 'show_in_rest' => true, 'auth_callback' => $may]);
		}
		// One row an address, so that a lookup is an equality.
		register_post_meta($type, 'sangtrang_from', ['single' => false, 'type' => 'string', 'show_in_rest' => true, 'auth_callback' => $may]);
		add_filter("rest_{$type}_query", function ($args, $request) {
			$key = $request->get_param('sangtrang_key');
			if (is_string($key) && $key !== '') { $args['meta_query'][] = ['key' => 'sangtrang_key', 'value' => $key]; }
			return $args;
		}, 10, 2);
	}
}, 99);

add_action('rest_api_init', function () {
	register_rest_route('sangtrang/v1', '/info', [
		'methods' => 'GET',
		'permission_callback' => function () { return current_user_can('edit_posts'); },
		'callback' => function () {
			return ['version' => SANGTRANG_VERSION, 'wordpress' => get_bloginfo('version'), 'php' => PHP_VERSION, 'max_upload' => wp_max_upload_size()];
		},
	]);
});

/** The form in which old addresses are kept: path without case and escapes, parameters sorted. */
function sangtrang_address($uri) {
	$parts = explode('#', $uri, 2);
	$parts = explode('?', $parts[0], 2);
	$path = mb_strtolower(rawurldecode($parts[0]), 'UTF-8');
	if (!isset($parts[1]) || $parts[1] === '') { return $path; }
	$pairs = array_map(function ($pair) { return urldecode($pair); }, array_filter(explode('&', $parts[1]), 'strlen'));
	sort($pairs, SORT_STRING);
	return $path . '?' . implode('&', $pairs);
}

/** Old addresses lead to what came of them, for good. */
add_action('template_redirect', function () {
	$uri = isset($_SERVER['REQUEST_URI']) ? wp_unslash($_SERVER['REQUEST_URI']) : '';
	// `/index.php?id=1` is a page of WordPress too: an address with a query is looked up whether or not WordPress knows it.
	if (!is_404() && strpos($uri, '?') === false) { return; }
	$found = get_posts(['post_type' => 'any', 'post_status' => ['publish', 'inherit'], 'numberposts' => 1, 'fields' => 'ids', 'suppress_filters' => false,
		'meta_query' => [['key' => 'sangtrang_from', 'value' => sangtrang_address($uri)]]]);
	if (!$found) { return; }
	$to = get_post_type($found[0]) === 'attachment' ? wp_get_attachment_url($found[0]) : get_permalink($found[0]);
	if ($to) { wp_redirect($to, 301, 'sangtrang'); exit; }
}, 0);
