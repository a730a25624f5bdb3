# frozen_string_literal: true

module ActionCable
  module Server
    # The registry.
    module Connections
      def connections_map
        @connections_map ||= {}.compare_by_identity
      end

      def connections
        connections_map.values
      end

      def each_connection(&block)
        connections.each(&block)
      end

      def add_connection(connection)
        connections_map[connection] = connection
      end

      def remove_connection(connection)
        connections_map.delete(connection)
      end

      def setup_heartbeat_timer
        @heartbeat_timer ||= executor.timer(BEAT_INTERVAL) { executor.post { each_connection(&:beat) } }
      end

      def open_connections_statistics
        connections.map(&:statistics)
      end
    end
  end
end
