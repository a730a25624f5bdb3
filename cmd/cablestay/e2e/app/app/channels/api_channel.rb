# frozen_string_literal: true

# Uses what is left of Action Cable's public methods.
class ApiChannel < ApplicationCable::Channel
  Record = Struct.new(:to_gid_param)

  after_subscribe { transmit own }

  def subscribed
    stream_from params[:follows] if params[:follows]
    transmit own
  end

  def tell
    transmit own
  end

  def none
    transmit({ performed: true })
  end

  def perform_itself
    perform_action({ "action" => "none" })
  end

  def log_on_every_level(data)
    %i[ debug info warn error fatal unknown ].each { |level| logger.public_send(level, "#{level} of #{data["text"]}") }
    connection.logger.info "connection of #{data["text"]}"
    logger.tag(Rails.logger) { Rails.logger.info "tagged of #{data["text"]}" }
    transmit({ tags: logger.tags })
  end

  def define_an_action
    before = self.class.action_methods.include?("defined_late")
    self.class.define_method(:defined_late) { }
    after = self.class.action_methods.include?("defined_late")
    self.class.remove_method(:defined_late)
    self.class.send(:clear_action_methods!)
    transmit({ before: before, after: after, finally: self.class.action_methods.include?("defined_late"), tell: self.class.action_methods.include?("tell") })
  end

  def names
    gid = Record.new("Z2lk")
    transmit({
      channel: [ channel_name, self.class.channel_name ], string: [ broadcasting_for("x"), self.class.broadcasting_for("x") ],
      record: [ broadcasting_for(gid), self.class.broadcasting_for(gid) ], array: [ broadcasting_for([ gid, [ "x", 1 ] ]), self.class.broadcasting_for([ gid, [ "x", 1 ] ]) ]
    })
  end

  def broadcast_both_ways(data)
    broadcast_to data["to"], { by: "instance" }
    self.class.broadcast_to data["to"], { by: "class" }
  end

  def broadcast_by_broadcaster(data)
    broadcaster = ActionCable.server.broadcaster_for(data["broadcasting"])
    broadcaster.broadcast({ html: "<b>", to: broadcaster.broadcasting })
  end

  def reach
    transmit({
      server: connection.server.is_a?(ActionCable::Server::Base), config: connection.server.config.equal?(ActionCable.server.config),
      pubsub: connection.pubsub.respond_to?(:broadcast), worker_pool: connection.worker_pool.respond_to?(:async_invoke),
      event_loop: connection.event_loop.respond_to?(:post), identifiers: connection.identifiers.to_a, of_class: connection.class.identifiers.to_a,
      subscriptions: connection.subscriptions.identifiers
    })
  end

  def beat
    connection.beat
  end

  def send_async(data)
    connection.send_async(:notify, data["text"])
  end

  def configuration
    config = ActionCable.server.config
    transmit({ meta: ApplicationController.helpers.action_cable_meta_tag[/content="[^"]*"/], url: config.url, mount_path: config.mount_path,
      workers: config.worker_pool_size, tags: config.log_tags.size, adapter: config.pubsub_adapter.name, cable: config.cable[:adapter],
      prefix: config.cable[:channel_prefix], same_origin: config.allow_same_origin_as_host, connection: config.connection_class.call.name,
      identifiers: ActionCable.server.connection_identifiers.to_a, version: [ ActionCable.version.to_s, ActionCable.gem_version.to_s ] })
  end

  def listen(data)
    pubsub, broadcasting, device = ActionCable.server.pubsub, data["broadcasting"], self.device
    listener = lambda do |payload|
      Journal.record({ event: "heard", device: device, text: payload })
      pubsub.unsubscribe(broadcasting, listener)
    end
    pubsub.subscribe(broadcasting, listener, -> { Journal.record({ event: "listening", device: device }) })
  end

  def publish(data)
    ActionCable.server.pubsub.broadcast(data["broadcasting"], data["payload"])
  end

  private
    def own
      { identifier: identifier, rejected: !!subscription_rejected?, confirmed: !!subscription_confirmation_sent?, deferred: defer_subscription_confirmation? }
    end
end
