# app/middleware/action_cable_metrics.rb

class ActionCableMetrics
  def initialize(app)
    @app = app
    @connection_gauge = Prometheus::Client.registry.gauge(
      :actioncable_connections,
      docstring: 'Number of active WebSocket connections'
    )
    @subscription_gauge = Prometheus::Client.registry.gauge(
      :actioncable_subscriptions,
      docstring: 'Number of active channel subscriptions'
    )
    @message_counter = Prometheus::Client.registry.counter(
      :actioncable_messages_total,
      docstring: 'Total number of WebSocket messages',
      labels: [:direction, :channel]
    )
  end

  def call(env)
    update_gauges
    @app.call(env)
  end

  private

  def update_gauges
    @connection_gauge.set(ActionCable.server.connections.size)
    
    subscriptions = ActionCable.server.connections.sum do |conn|
      conn.subscriptions.identifiers.size
    end
    @subscription_gauge.set(subscriptions)
  end
end
