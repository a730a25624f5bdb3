# frozen_string_literal: true

# Channels that only a living object can serve are not wanted. Stock has no such setting.
config.cablestay.live = false if config.respond_to?(:cablestay)
