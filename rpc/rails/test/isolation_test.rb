# frozen_string_literal: true

class Whereabouts < ActiveSupport::CurrentAttributes
  attribute :place
end

# Leaves traces in the thread that runs it, and looks for those of the one before.
module Traces
  class << self
    def leave
      Whereabouts.place = "left"
      ActiveRecord::Base.connection.select_value("SELECT 42")
      Time.zone = "Tokyo"
      I18n.locale = :de
      Thread.current[:isolation_test] = "left"
      Thread.current.thread_variable_set(:isolation_test, "left")
      ActiveRecord::Base.connected_to(role: :writing) { throw :left }
    end

    def look
      { thread: Thread.current.object_id, place: Whereabouts.place, execution: Rails.application.executor.active?,
        connection: ActiveRecord::Base.connection_pool.active_connection? ? true : false,
        caches: ActiveRecord::Base.connection.query_cache_enabled, cached: queries { ActiveRecord::Base.connection.select_value("SELECT 42") },
        role: ActiveRecord::Base.current_role, zone: Time.zone.name, locale: I18n.locale.to_s,
        local: Thread.current[:isolation_test], variable: Thread.current.thread_variable_get(:isolation_test) }
    end

    # How many were not answered from the query cache.
    def queries
      count = 0
      counter = ->(*, payload) { count += 1 unless payload[:cached] || payload[:name] == "SCHEMA" }
      ActiveSupport::Notifications.subscribed(counter, "sql.active_record") { yield }
      count
    end
  end
end

class TracesChannel < ActionCable::Channel::Base
  def leave
    catch(:left) { Traces.leave }
  end

  def look
    transmit(Traces.look)
  end

  def ask_in_between
    Whereabouts.place = "mine"
    tenant = connection.look.params[:tenant]
    transmit({ tenant: tenant, place: Whereabouts.place, execution: Rails.application.executor.active? })
  end
end

class TracesConnection < ActionCable::Connection::Base
  def look
    request
  end
end

# What one event leaves behind and what the next one sees of it, in the same thread, next to Action Cable's own worker pool.
class IsolationTest < ActiveSupport::TestCase
  setup do
    @locales, @zone = I18n.available_locales, Time.zone
    I18n.available_locales |= [ :en, :de ]
    @before = ActionCable.server.config.connection_class
    ActionCable.server.config.connection_class = -> { TracesConnection }
    @client = Bridge.new.client(Bridge.handshake("", path: "/t/acme/cable"))
    @client.subscribe("TracesChannel")
  end

  teardown do
    ActionCable.server.config.connection_class = @before
    # The thread is used by other tests too.
    Cablestay.event_threads.run do
      I18n.locale, Time.zone = :en, nil
      Thread.current[:isolation_test] = nil
      Thread.current.thread_variable_set(:isolation_test, nil)
    end
    I18n.available_locales = @locales
  end

  test "an event sees as much of the one before as a job of the worker pool does" do
    stock = of_stock
    ours = of_events

    assert_equal stock[:before].delete(:thread), stock[:after].delete(:thread)
    assert_equal ours[:before].delete(:thread), ours[:after].delete(:thread), "the events ran on two threads: this proves nothing"
    assert_equal stock, ours
  end

  test "nothing of CurrentAttributes, query cache, connection and role is left" do
    assert_equal({ place: nil, execution: true, connection: false, caches: true, cached: 1, role: :writing },
      of_events[:after].slice(:place, :execution, :connection, :caches, :cached, :role))
  end

  test "what the thread of the request holds is not seen by its event, nor the event's by it" do
    Whereabouts.place = "the request's"
    Time.zone, I18n.locale = "Lima", :de
    seen = @client.perform("TracesChannel", "look").messages.first

    assert_equal [ nil, "UTC", "en" ], seen.values_at("place", "zone", "locale")
    assert_equal [ "the request's", "Lima", :de ], [ Whereabouts.place, Time.zone.name, I18n.locale ]
  ensure
    Whereabouts.reset
    Time.zone, I18n.locale = @zone, :en
  end

  test "the middleware that an event asks for the request leaves the event's own attributes alone" do
    assert_equal [ { "tenant" => "acme", "place" => "mine", "execution" => true } ],
      @client.perform("TracesChannel", "ask_in_between").messages
  end

  private
    def of_events
      look = -> { @client.perform("TracesChannel", "look").messages.first.symbolize_keys.then { |seen| seen.merge(role: seen[:role].to_sym) } }
      before = look.call
      @client.perform("TracesChannel", "leave")
      { before: before, after: look.call }
    end

    # One thread, so that the second job is sure to come after the first one in it.
    def of_stock
      worker = ActionCable::Server::Worker.new(max_size: 1)
      before = in_job(worker) { Traces.look }
      in_job(worker) { catch(:left) { Traces.leave } }
      { before: before, after: in_job(worker) { Traces.look } }
    ensure
      worker.halt
    end

    def in_job(worker, &block)
      done = Queue.new
      logger = Cablestay::RailsVersions.tagged_logger.new(ActionCable.server.logger, tags: [])
      connection = Struct.new(:logger).new(logger)
      worker.async_exec(self, connection: connection) { done << block.call }
      Timeout.timeout(10) { done.pop }
    end
end
