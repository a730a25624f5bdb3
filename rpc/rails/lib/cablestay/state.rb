# frozen_string_literal: true

module Cablestay
  # What a connection or a channel keeps between events, as bytes and back.
  module State
    # The first byte: does an object have to be put in another's place while the rest is read?
    PLAIN, REPLACING = "-".b, "+".b

    class << self
      # +saved+ has a Hash of instance variables at :ivars, and may have a Sharing::Table at :shared. What can't
      # travel is left out, and the block is told of its name, value and error, or without a block the log; the
      # others keep what they share with each other.
      def dump(saved, owner, graph: Graph.new(saved[:ivars]), reload: false, &left_out)
        left_out ||= ->(name, value, error) { log(owner, name, value, error) }
        Records.keep_whole
        ivars = saved[:ivars].transform_values { |value| References.current.replace(value) }
        write(saved, ivars, graph, reload)
      rescue StandardError, SystemStackError
        kept = ivars.select { |name, value| travels?(name, value, &left_out) }
        write(saved, kept, graph.within(kept), reload)
      end

      # +living+ objects, by their id, take the place of their copies.
      def load(bytes, living = {})
        saved = bytes.start_with?(REPLACING) ? Replacement.new(living).load(marshalled(bytes)) : Marshal.load(marshalled(bytes))
        Records.check_columns(saved[:columns])
        saved[:frozen].each(&:freeze)
        saved[:ivars].transform_values! { |value| References.current.restore(value) }
        saved
      rescue UnreadableState
        raise
      rescue StandardError, ScriptError, SystemStackError => error
        raise UnreadableState, "#{error.class}: #{error.message.lines.first.to_s.chomp}"
      end

      private
        # The table comes first: copies are known before they are met in their places.
        def write(saved, ivars, graph, reload)
          check(graph)
          relocation = reload ? Relocation.new(ivars) : Relocation::NONE
          ivars = ivars.transform_values { |value| relocation[value] }
          shared = (saved[:shared]&.objects || {}).select { |_, object| graph.include?(object) }
          saved = { shared: Sharing::Table.new(shared.to_h { |id, object| [ id, relocation.shared(id, object) ] }),
            **saved.except(:shared, :ivars), ivars: ivars, frozen: graph.frozen.map { |object| relocation[object] },
            columns: Records.columns(graph.records.reject { |record| relocation.moved?(record) }) }
          (reload || shared.any? ? REPLACING : PLAIN) + Marshal.dump(saved)
        end

        def marshalled(bytes)
          bytes.byteslice(1..-1)
        end

        def travels?(name, value)
          check(Graph.new({ name => value }))
          Marshal.dump(value)
          true
        rescue StandardError, SystemStackError => error
          yield name, value, error
          false
        end

        def check(graph)
          raise TypeError, "a #{graph.pretender.class} answers to marshal_dump without having it" if graph.pretender
        end

        def log(owner, name, value, error)
          Cablestay.logger.error("#{owner} loses #{name} (#{value.class}) at the end of this event: " \
            "not yet carried by cablestay (#{error.message})")
        end
    end
  end
end
