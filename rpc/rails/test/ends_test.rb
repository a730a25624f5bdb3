# frozen_string_literal: true

require_relative "support/living"

class EndingConnection < ActionCable::Connection::Base
  identified_by :user

  def connect
    self.user = request.params[:user].presence || reject_unauthorized_connection
  end
end

class EndingChannel < ActionCable::Channel::Base
  periodically :look, every: 7

  class << self
    attr_accessor :go_on
  end

  def subscribed
    reject if params[:locked]
    stream_from "ending"
  end

  def look
    @looks = @looks.to_i + 1
  end

  def begin_a_thread
    go_on = self.class.go_on = Queue.new
    Thread.new { go_on.pop }
  end

  def define_one
    define_singleton_method(:unsubscribed) { }
  end

  def define_one_of_the_connection
    connection.define_singleton_method(:disconnect) { }
  end

  def keep
    self.class.all << self
  end

  class << self
    def all
      @all ||= []
    end
  end
end

class EndingCurrent < ActiveSupport::CurrentAttributes
  attribute :zone
end

class EndsTest < ActiveSupport::TestCase
  include Living

  BOTH = { "connection_end" => "nothing", "end" => "nothing" }.freeze
  CONNECTION, SUBSCRIPTION, NEITHER = BOTH.slice("connection_end"), BOTH.slice("end"), {}.freeze

  setup do
    @logger = ActionCable.server.config.logger
    ActionCable.server.config.logger = ActiveSupport::TaggedLogging.new(Logger.new(File::NULL, level: :warn))
    @before = ActionCable.server.config.connection_class
    @ends = Cablestay::Ends.current
    Cablestay::Ends.current = Cablestay::Ends.new # knows no class
    connections { }
    channels { }
  end

  teardown do
    Cablestay::Ends.current = @ends
    ActionCable.server.config.connection_class = @before
    ActionCable.server.config.logger = @logger
  end

  test "of a plain connection and channel are said to be nothing, by every answer" do
    client = Bridge.new.client

    assert_equal CONNECTION, ends(client.opened)
    assert_equal BOTH, ends(client.subscribe("EndingCase"))
    2.times { assert_equal BOTH, ends(client.perform("EndingCase", "look")) }
    assert_equal BOTH, ends(client.tick("EndingCase", timer: 0, every: 7))
    assert_equal CONNECTION, ends(client.unsubscribe("EndingCase"))
    assert_equal CONNECTION, ends(client.subscribe("EndingCase", locked: true))
  end

  test "are said to be nothing of objects at hand as of those that are revived" do
    Cablestay::AtHand.current = Cablestay::AtHand.new(500)
    @client = @bridge.client
    assert_equal BOTH, ends(@client.subscribe("EndingCase"))
    identifier = identifier("EndingCase")
    3.times do
      members = { bridge: @bridge.id, connection: "connection-1", handshake: Bridge.handshake, connection_state: @client.state, state: @client.states[identifier] }
      answer = @bridge.ask_link("perform", **members, identifier: identifier, data: JSON.generate({ action: "look" }))
      @client.states[identifier] = answer["state"] if answer.body.key?("state")
      assert_equal BOTH, ends(answer)
    end
    assert_equal 1, Cablestay::AtHand.current.size
  end

  test "of a connection that was rejected is said to be nothing" do
    opened = Bridge.new.client(Bridge.handshake("user=")).opened
    assert_equal [ false, CONNECTION ], [ opened["accepted"], ends(opened) ]
  end

  test "follow what the log takes now" do
    client = Bridge.new.client
    client.subscribe("EndingCase")
    logger = ActionCable.server.config.logger

    { info: NEITHER, debug: NEITHER, warn: BOTH }.each do |level, want|
      logger.level = level
      assert_equal want, ends(client.perform("EndingCase", "look")), level
    end
  end

  test "are said to be something where the log does not tell its level" do
    silent = Class.new { %i[ debug info warn error fatal unknown ].each { |name| define_method(name) { |*| } } }
    ActionCable.server.config.logger = silent.new.tap { |logger| def logger.debug?; end }
    assert_equal NEITHER, said
  end

  test "are something where the log hands what it does not take itself to another one" do
    File.open(File::NULL, "w") do |null|
      broadcast_to ActiveSupport::Logger.new(null)
      assert_equal NEITHER, said
    end
  end

  test "are something where the log, or one that it hands lines to, has an add of another's" do
    curious = Logger.new(File::NULL, level: :warn).extend(Module.new { def add(*) = super })
    broadcast_to curious
    assert_equal NEITHER, said
    ActionCable.server.config.logger = curious
    assert_equal NEITHER, said
  end

  test "are something where a connection makes a logger of its own kind" do
    proxy = Class.new(Cablestay::RailsVersions.tagged_logger) { def info(*) = nil }
    connections { define_method(:connect) { @logger = proxy.new(server.logger, tags: []); super() } }
    assert_equal NEITHER, ends(Bridge.new.client.opened)
  end

  {
    "disconnect" => [ SUBSCRIPTION, proc { def disconnect; end } ],
    "disconnect from a module" => [ SUBSCRIPTION, proc { include Module.new { def disconnect; end } } ],
    "handle_close" => [ SUBSCRIPTION, proc { prepend Module.new { def handle_close; super; end } } ],
    "subscriptions" => [ NEITHER, proc { def subscriptions; super; end } ],
    "on_close" => [ SUBSCRIPTION, proc { def on_close(*); end } ],
    "a logger" => [ NEITHER, proc { def logger; super; end } ]
  }.each do |what, (want, body)|
    test "are something where a connection's class has #{what}" do
      connections(&body)
      assert_equal want, said
    end
  end

  test "are something where stock would find a disconnect that is not defined" do
    next if defined?(ActionCable::Server::Socket) # always calls it

    connections do
      def respond_to_missing?(name, *)
        name == :disconnect || super
      end
    end
    assert_equal SUBSCRIPTION, said
  end

  {
    "unsubscribed" => proc { def unsubscribed; end },
    "a private unsubscribed" => proc { private def unsubscribed; end },
    "unsubscribed in a wrapping of Rails'" => proc { def unsubscribed; end; deprecate :unsubscribed, deprecator: ActiveSupport::Deprecation.new("2", "it") },
    "unsubscribed as a name for what is Rails'" => proc { alias_method :unsubscribed, :transmit_subscription_rejection },
    "unsubscribed from a module" => proc { include Module.new { def unsubscribed; end } },
    "unsubscribe_from_channel" => proc { prepend Module.new { def unsubscribe_from_channel; super; end } },
    "stop_all_streams" => proc { def stop_all_streams; super; end },
    "a callback before it" => proc { before_unsubscribe { } },
    "a callback after it" => proc { after_unsubscribe :look },
    "a callback around it" => proc { set_callback(:unsubscribe, :around) { |_, inner| inner.call } },
    "an object that is a callback" => proc { set_callback(:unsubscribe, :before, Class.new { def before(*); end }.new) },
    "a condition of stop_all_streams" => proc { on_unsubscribe :stop_all_streams, if: -> { true } }
  }.each do |what, body|
    test "are something where a channel's class has #{what}" do
      channels(&body)
      assert_equal CONNECTION, said
    end
  end

  test "are something where a class above the channel's has unsubscribed" do
    above = Class.new(EndingChannel) { def unsubscribed; end }
    replace(:EndingCase, Class.new(above))
    assert_equal CONNECTION, said
  end

  test "are something as soon as a channel's class has a callback" do
    assert_equal BOTH, said
    EndingCase.before_unsubscribe { }
    assert_equal CONNECTION, said
  end

  test "are something where commands have callbacks, which disconnect has not" do
    next unless EndingConnection.respond_to?(:before_command) # Rails >= 7.1

    assert_equal BOTH, said
    @connections.before_command { }
    assert_equal CONNECTION, said
  end

  { "define_one" => CONNECTION, "define_one_of_the_connection" => NEITHER }.each do |action, want|
    test "are something where an object has a method of its own: #{action}" do
      client = Bridge.new.client
      client.subscribe("EndingCase")
      assert_equal want, ends(client.perform("EndingCase", action))
    end
  end

  hidden = Module.new { private def unsubscribed; end }
  { "is extended with a private method" => proc { extend(hidden) },
    "has a private method put before its own" => proc { singleton_class.prepend(hidden) },
    "has been given a private method" => proc { define_singleton_method(:unsubscribed) { }; singleton_class.send(:private, :unsubscribed) } }.each do |what, body|
    test "are something where a channel #{what}" do
      channels { define_method(:look) { instance_exec(&body) } }
      client = Bridge.new.client
      client.subscribe("EndingCase")
      assert_equal CONNECTION, ends(client.perform("EndingCase", "look"))
    end
  end

  { "a method" => proc { def unsubscribed; end }, "a module" => proc { prepend hidden }, "one above its own" => proc { include hidden } }.each do |what, body|
    test "are something as soon as a channel's class has #{what} for it" do
      assert_equal BOTH, said
      EndingCase.class_eval(&body)
      assert_equal CONNECTION, said
    end
  end

  # What gems that watch an app do.
  [ [ ActionCable::Connection::Subscriptions, :unsubscribe_from_all, SUBSCRIPTION ],
    [ ActionCable::Connection::Subscriptions, :remove_subscription, NEITHER ],
    [ ActionCable::Connection::Subscriptions, :execute_command, CONNECTION ],
    [ ActionCable::Connection::Base, :handle_close, SUBSCRIPTION ],
    [ ActionCable::Channel::Base, :unsubscribed, CONNECTION ],
    [ ActionCable::Server::Base, :remove_connection, SUBSCRIPTION ],
    [ ActionCable::Server::Worker, :work, NEITHER ],
    [ Cablestay::RailsVersions.tagged_logger, :info, NEITHER ] ].each do |type, name, want|
    test "are something where #{type}##{name} is another's" do
      with_method_of_another(type, name) { assert_equal want, said }
      Cablestay::Ends.current = Cablestay::Ends.new
      assert_equal BOTH, said
    end
  end

  test "are something where the worker has a callback" do
    assert_equal BOTH, said
    with_callbacks_of(ActionCable::Server::Worker, :work) do
      ActionCable::Server::Worker.set_callback(:work, :around) { |_, inner| inner.call }
      assert_equal NEITHER, said
    end
    assert_equal BOTH, said
  end

  hook = Class.new { def run; end; def complete(_); end }
  { "before" => ->(executor) { executor.to_run { } }, "after" => ->(executor) { executor.to_complete { } },
    "around" => ->(executor) { executor.register_hook(hook.new) } }.each do |where, register|
    test "are something where the app has a hook #{where} each execution" do
      executor = Rails.application.executor
      assert_equal BOTH, said
      with_callbacks_of(executor, :run, :complete) do
        register.call(executor)
        assert_equal NEITHER, said
      end
      assert_equal BOTH, said
    end
  end

  test "are something where the app's executions are another's" do
    executor = Rails.application.executor
    with_method_of_another(executor, :complete!) { assert_equal NEITHER, said }
    Cablestay::Ends.current = Cablestay::Ends.new
    assert_equal BOTH, said
  end

  test "are something where what is current has something to run when an execution resets it" do
    assert_equal BOTH, said
    with_callbacks_of(EndingCurrent, :reset) do
      EndingCurrent.resets { }
      assert_equal NEITHER, said
    end
    assert_equal BOTH, said
    with_method_of_another(EndingCurrent, :reset) { assert_equal NEITHER, said }
  end

  test "are something where the event has left a thread running" do
    client = Bridge.new.client
    client.subscribe("EndingCase")
    assert_equal NEITHER, ends(client.perform("EndingCase", "begin_a_thread"))
  ensure
    EndingCase.go_on << true
  end

  test "are something where it has left one, also where the app wants no living channels" do
    Cablestay::Live.configure(false)
    client = Bridge.new.client
    client.subscribe("EndingCase")
    assert_equal NEITHER, ends(client.perform("EndingCase", "begin_a_thread"))
  ensure
    EndingCase.go_on << true
    Cablestay::Live.configure(true)
  end

  test "are something where the app's class keeps the channel" do
    client = Bridge.new.client
    client.subscribe("EndingCase")
    assert_equal NEITHER, ends(client.perform("EndingCase", "keep"))
  end

  test "are something where this process holds the channel" do
    channels do
      def subscribed
        stream_from("ending-block") { }
      end
    end
    @client = @bridge.client
    assert_equal CONNECTION, ends(@client.opened)

    answer = subscribe_live("EndingCase")
    assert_equal [ true, NEITHER ], [ answer.body.key?("live"), ends(answer) ]
    attach_confirmed(answer)
    assert_equal NEITHER, ends(perform_live("look"))
  end

  private
    def ends(answer)
      answer.body.slice("connection_end", "end")
    end

    def broadcast_to(other)
      logger = ActionCable.server.config.logger
      if defined?(ActiveSupport::BroadcastLogger) # Rails >= 7.1
        ActionCable.server.config.logger = ActiveSupport::BroadcastLogger.new(logger, other)
        ActionCable.server.config.logger.formatter = logger.formatter # as Rails does
      else
        logger.extend(ActiveSupport::Logger.broadcast(other))
      end
    end

    # All that a connection and its first subscription say.
    def said
      client = Bridge.new.client
      subscribed = client.subscribe("EndingCase")
      assert subscribed["subscribed"]
      assert_equal ends(client.opened), ends(subscribed).slice("connection_end")
      ends(subscribed)
    end

    # A class that nobody has asked about yet, with this in its body.
    def connections(&body)
      @connections = connections = Class.new(EndingConnection, &body)
      ActionCable.server.config.connection_class = -> { connections }
    end

    def channels(&body)
      replace(:EndingCase, Class.new(EndingChannel, &body))
    end

    def replace(name, type)
      Object.send(:remove_const, name) if Object.const_defined?(name)
      Object.const_set(name, type)
    end

    # As it would be for a gem that has put its own there.
    def with_method_of_another(type, name)
      original = type.instance_method(name)
      own, hidden = original.owner.equal?(type), type.private_method_defined?(name)
      define(type, name, hidden, ->(*arguments, **options, &block) { original.bind_call(self, *arguments, **options, &block) })
      yield
    ensure
      own ? define(type, name, hidden, original) : type.send(:remove_method, name)
    end

    def define(type, name, hidden, body)
      silence_warnings { type.define_method(name, body) }
      type.send(:private, name) if hidden
    end

    def with_callbacks_of(type, *names)
      before = names.to_h { |name| [ name, type.__callbacks[name] ] }
      yield
    ensure
      before.each { |name, chain| type.send(:set_callbacks, name, chain) }
    end
end
