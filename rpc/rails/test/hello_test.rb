# frozen_string_literal: true

class HelloTest < ActiveSupport::TestCase
  test "every mount is told, in the order of the routes" do
    assert_equal [ "/cable", "/t/:tenant/cable" ], hello["mounts"].map { |mount| mount["path"] }
  end

  test "the default mount is anchored where Rails anchors it" do
    anchored = Rails.gem_version >= Gem::Version.new("7.0.4")
    assert_equal [ anchored, false ], hello["mounts"].map { |mount| mount["anchored"] }
  end

  test "mounts behind constraints, in scopes and in engines are found" do
    engine = Class.new(Rails::Engine) { define_singleton_method(:name) { "HiddenEngine" } }
    engine.routes.draw { mount ActionCable.server => "/inner" }
    routes = ActionDispatch::Routing::RouteSet.new
    routes.draw do
      scope("/admin") { constraints(->(_) { true }) { mount ActionCable.server => "/cable" } }
      mount engine => "/hidden"
      match "/exact", to: ActionCable.server, via: :get
      get "/other", to: ->(_) { }
    end
    app = Struct.new(:routes).new(routes)

    assert_equal [ { path: "/sub/admin/cable", anchored: false }, { path: "/sub/hidden/inner", anchored: false },
      { path: "/sub/exact", anchored: true } ], Cablestay::Mounts.of(app, "/sub")
  end

  test "options of Redis are told as Rails reads them, but for what only Ruby can hold" do
    with_cable("adapter" => "redis", "channel_prefix" => "p", "url" => "rediss://r", "ssl_params" => { verify_mode: 0 },
      "sentinels" => [ { host: "a", port: 1 } ], "driver" => :ruby, "proc" => -> { }) do
      answer = hello
      assert_equal [ "redis", "p" ], [ answer["adapter"], answer["channel_prefix"] ]
      assert_equal({ "url" => "rediss://r", "ssl_params" => { "verify_mode" => 0 },
        "sentinels" => [ { "host" => "a", "port" => 1 } ], "driver" => "ruby" }, answer["redis"])
    end
  end

  test "without a prefix, it is null" do
    with_cable("adapter" => "async") do
      assert_equal [ "async", nil, {} ], hello.values_at("adapter", "channel_prefix", "redis")
    end
  end

  test "concurrency is Puma's workers times threads" do
    puma = Struct.new(:options)
    assert_equal 6, Cablestay::Concurrency.of("puma.config" => puma.new({ workers: 2, max_threads: 3 }))
    assert_equal 3, Cablestay::Concurrency.of("puma.config" => puma.new({ workers: 0, max_threads: 3 }))
  end

  test "under another web server, concurrency is what the usual variables say" do
    assert_equal 5, Cablestay::Concurrency.of({})
    with_variables("RAILS_MAX_THREADS" => "7", "WEB_CONCURRENCY" => "2") { assert_equal 14, Cablestay::Concurrency.of({}) }
    with_variables("RAILS_MAX_THREADS" => "x", "WEB_CONCURRENCY" => "auto") { assert_equal 5, Cablestay::Concurrency.of({}) }
  end

  test "a remote disconnect sends a frame first where Rails does so" do
    expected = Rails.gem_version >= Gem::Version.new("7.1") || ENV["CABLESTAY_SEAM"] ? "transmit" : "close"
    assert_equal expected, hello["remote_disconnect"]
  end

  private
    def hello
      Bridge.new.ask("hello").body
    end

    def with_cable(options)
      before = ActionCable.server.config.cable
      ActionCable.server.config.cable = options.with_indifferent_access
      yield
    ensure
      ActionCable.server.config.cable = before
    end

    def with_variables(variables)
      before = ENV.to_h.slice(*variables.keys)
      ENV.update(variables)
      yield
    ensure
      variables.each_key { |name| ENV[name] = before[name] }
    end
end
