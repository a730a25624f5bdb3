# frozen_string_literal: true

# GET /metrics in Prometheus' text format: the open sockets (see ActionCableHealth), and what the channels of this process said
# and heard. Behind Cablestay, what streams bring is the bridge's to count.
class ActionCableMetrics
  # Counts of (direction, channel), kept from the notifications that Action Cable itself sends.
  class Messages
    DIRECTIONS = { "perform_action.action_cable" => "in", "transmit.action_cable" => "out" }.freeze

    def initialize
      @counts = Hash.new(0)
      @mutex = Mutex.new
    end

    def subscribe
      DIRECTIONS.each do |event, direction|
        ActiveSupport::Notifications.subscribe(event) do |*, payload|
          @mutex.synchronize { @counts[[ direction, payload[:channel_class] ]] += 1 }
        end
      end
      self
    end

    def to_h
      @mutex.synchronize { @counts.dup }
    end
  end

  def initialize(app)
    @app = app
    @messages = Messages.new.subscribe
  end

  def call(env)
    if env["REQUEST_METHOD"] == "GET" && env["PATH_INFO"] == "/metrics"
      [ 200, { "content-type" => "text/plain; version=0.0.4" }, [ exposition ] ]
    else
      @app.call(env)
    end
  end

  private
    def exposition
      connections = ActionCable.server.connections
      [
        *metric("actioncable_connections", "gauge", "Open connections", "" => connections.size),
        *metric("actioncable_subscriptions", "gauge", "Subscriptions of open connections",
          "" => connections.sum { |connection| connection.subscriptions.identifiers.size }),
        *metric("actioncable_messages_total", "counter", "Actions performed (in) and transmissions of channels (out)",
          @messages.to_h.to_h { |(direction, channel), count| [ %({direction="#{direction}",channel="#{channel}"}), count ] })
      ].join("\n") << "\n"
    end

    def metric(name, type, description, values)
      [ "# HELP #{name} #{description}", "# TYPE #{name} #{type}", *values.map { |labels, value| "#{name}#{labels} #{value}" } ]
    end
end
