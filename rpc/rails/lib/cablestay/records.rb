# frozen_string_literal: true

module Cablestay
  # Rails >= 7.1 can marshal a record as what its row holds, which is the default of new apps: right for a cache, but
  # unsaved changes, the app's own variables in it and that it was destroyed are lost. Between events a record is
  # kept whole, as by default before.
  module Records
    # Prepended to ActiveRecord::Base. Rails' own format is an Array.
    module Loading
      def marshal_load(state)
        return super unless state.is_a?(Hash)

        state.each { |name, value| instance_variable_set(name, value) }
      end
    end

    # Prepended to ActiveRecord::Base where Rails has its format in use: one method more changes what Ruby does.
    module Dumping
      def marshal_dump
        return super unless References.current

        instance_variables.to_h { |name| [ name, instance_variable_get(name) ] }
      end
    end

    class << self
      def extend_rails(base)
        @base = base
        base.prepend(Loading) if base.method_defined?(:marshal_load)
      end

      # Before state is marshalled: by then the app has chosen its format.
      def keep_whole
        @base.prepend(Dumping) if @base&.method_defined?(:marshal_dump) && !(@base < Dumping)
      end
    end
  end
end
