# frozen_string_literal: true

# What a health check or a dashboard asks the cable for.
class CountsController < ApplicationController
  def show
    connections = ActionCable.server.connections
    render json: {
      size: connections.size,
      connections: connections.map { |connection| describe(connection) },
      subscriptions: connections.sum { |connection| connection.subscriptions.identifiers.size },
      open: ActionCable.server.open_connections_statistics.map { |statistics| shape(statistics) }
    }
  end

  private
    def describe(connection)
      { user: connection.user.to_s, device: connection.device, identifier: connection.connection_identifier,
        identifiers: connection.subscriptions.identifiers, statistics: shape(connection.statistics) }
    end

    def shape(statistics)
      statistics.merge(started_at: statistics[:started_at].is_a?(Time) && statistics[:started_at].between?(10.minutes.ago, Time.current),
        request_id: statistics[:request_id].present?)
    end
end
