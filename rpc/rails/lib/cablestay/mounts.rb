# frozen_string_literal: true

module Cablestay
  # Where the app's routes, and those of the engines in it, mount Action Cable.
  module Mounts
    class << self
      # In the router's words, each with whether longer paths match too.
      def of(app, prefix = "")
        RailsVersions.load_routes(app)
        in_routes(app.routes, prefix, [])
      end

      private
        def in_routes(routes, prefix, seen)
          return [] if seen.include?(routes)

          routes.routes.flat_map do |route|
            path = prefix.chomp("/") + route.path.spec.to_s.delete_suffix("(.:format)")
            mounted = rack_app(route)
            if mounted.equal?(ActionCable.server)
              [ { path: path, anchored: route.path.anchored ? true : false } ]
            elsif mounted.respond_to?(:routes) && mounted.routes.respond_to?(:routes)
              in_routes(mounted.routes, path, seen + [ routes ])
            else
              []
            end
          end.uniq
        end

        # The router wraps what is mounted, once for each kind of constraint.
        def rack_app(route)
          app = route.app
          app = app.app while app.is_a?(ActionDispatch::Routing::Endpoint) && !app.equal?(app.app)
          app
        end
    end
  end
end
